import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { checkTtl } from '../../client/input';
import { LeaseError } from '../../client/leases';
import { issueBody, issuedBody } from '../../client/wire';
import type { IssuedBody, jwkBody } from '../../client/wire';
import type { RecipientJwk } from '../../workflows/contract';
import { writeAudit } from '../audit';
import { answer, errors } from '../describe';
import type { Identity } from '../identity/identity';
import { identityOf, requireRight, tokenHashOf } from '../request';
import type { Routes } from '../server';
import { createFlights } from './flights';
import { onceAnswered } from '../gone';
import { issueOver } from './issuing';
import type { Wanted } from './issuing';
import { requireDynamicSecret } from './scope';
import { createTakeBack } from '../take-back';

const headers = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/, 'must be 1 to 255 printable ASCII characters')
    .optional()
    .meta({
      description:
        'The same key and request give the same lease, and with a token of Leasehold, or the same `recipient_jwk`, its credential again; ' +
        'with an OIDC token a repeat is told `already_issued` and the `lease_id`. 1 to 255 printable ASCII characters.',
      examples: ['export-2026-11-25'],
    }),
});

/** `POST /v1/leases`. */
export const issueRoutes: Routes = (app, deps) => {
  const takeBack = createTakeBack(deps);
  const flights = createFlights<IssuedBody>(takeBack);

  app.withTypeProvider<ZodTypeProvider>().post(
    '/v1/leases',
    {
      config: { mayLease: true, needsTemporal: true },
      schema: {
        operationId: 'issueLease',
        tags: ['leases'],
        summary: 'Issue a lease',
        description:
          'Makes a credential for the holder of the token; needs the right `lease`. A repeat with the same `Idempotency-Key` is ' +
          'answered as the first request was, `expires_at` included, and makes nothing more. A client that hangs up before it ' +
          'has its answer gives the lease up: it is revoked. Making a credential may take a minute.',
        headers,
        body: issueBody,
        response: { 201: answer('The lease.', issuedBody), ...errors(403, 404, 409, 413, 415, 502) },
      },
    },
    async (request, reply) => {
      const identity = identityOf(request);
      requireRight(identity, 'lease');
      const { project, config, dynamic_secret: dynamicSecret, ttl, recipient_jwk: jwk } = request.body;
      requireDynamicSecret(deps.config(), identity, { project, config, dynamicSecret });
      if (ttl !== undefined) checkTtl(ttl);
      const wanted: Wanted = {
        project,
        config,
        dynamicSecret,
        ttl,
        idempotencyKey: request.headers['idempotency-key'],
        recipientJwk: jwk === undefined ? undefined : toJwk(jwk),
      };
      const seat = flights.board(keyOf(identity, tokenHashOf(request), wanted), (signal) =>
        issueOver({ leases: deps.leases, takeBack }, identity, wanted, signal),
      );
      const state = { isReady: false, isGone: false };
      onceAnswered(reply, (wasSent) => {
        state.isGone = !wasSent;
        void seat.leave(wasSent && state.isReady);
      });
      try {
        const { answer: body, leaseId } = await seat.landed;
        if (state.isGone) throw new LeaseError('Aborted', `The client of lease ${leaseId} hung up.`, { leaseId });
        await writeAudit(deps, request, 'delivered', { leaseId, project, config, dynamicSecret });
        state.isReady = true;
        void reply.status(201);
        return body;
      } catch (error) {
        await seat.leave(false);
        throw error;
      }
    },
  );
};

export function toJwk({ y, ...jwk }: z.output<typeof jwkBody>): RecipientJwk {
  return y === undefined ? jwk : { ...jwk, y };
}

/**
 * What makes two requests the same one; null: nothing does. A credential that is not sealed to a key of the caller's own is the very
 * token's that asked for it, and not its holder's other tokens'.
 */
function keyOf({ tokenId, holder }: Identity, tokenHash: string, wanted: Wanted): string | null {
  const { project, config, dynamicSecret, ttl, idempotencyKey, recipientJwk } = wanted;
  if (idempotencyKey === undefined) return null;
  const ttlMs = ttl === undefined ? null : checkTtl(ttl);
  const asker = recipientJwk ?? tokenHash;
  return JSON.stringify([tokenId, holder, project, config, dynamicSecret, idempotencyKey, ttlMs, asker]);
}
