import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Right } from '../config/load';
import { refusal } from './errors';
import type { Identity } from './identity/identity';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null on routes that ask nobody, and until it is known. */
    identity: Identity | null;
  }

  interface FastifyContextConfig {
    /** Whether the route answers anybody: health, the API's description. */
    readonly open?: boolean;
    /** Whether nothing can be done without Temporal, which is then asked for first. */
    readonly needsTemporal?: boolean;
    /** Whether it is answered however often it is asked: a probe that is refused would have the process killed. */
    readonly unlimited?: boolean;
    /** Whether a lease may exist by the time it fails: then never 500, on which Doppler's SDK asks again. */
    readonly mayLease?: boolean;
    /**
     * Whether every failure but 401 and 404 of this very request is told as 403, because on any other status Doppler's CLI
     * starts the program on an old file of dead credentials.
     */
    readonly failsAs403?: (request: FastifyRequest) => boolean;
  }
}

/** Who asks. @throws ApiError 401 if nobody was looked at. */
export function identityOf({ identity }: FastifyRequest): Identity {
  if (identity === null) throw refusal(401, 'unauthenticated', 'No valid token was sent.');
  return identity;
}

/** Tells the very token of a request from every other one, as `tokenId` does not: an OIDC issuer's tokens all have the same. */
export function tokenHashOf({ headers }: FastifyRequest): string {
  return createHash('sha256')
    .update(headers.authorization ?? '')
    .digest('base64url');
}

/** @throws ApiError 403 `forbidden` that names the right. */
export function requireRight(identity: Identity, right: Right): void {
  if (identity.rights.has(right)) return;
  throw refusal(403, 'forbidden', `The token may not do that: it lacks the right ${right}.`);
}
