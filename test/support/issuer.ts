import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';

/** An OIDC issuer on this machine, with real keys. */
export interface Issuer {
  /** What stands in its tokens as `iss`. */
  readonly url: string;
  readonly audience: string;
  /** Paths that it was asked for so far. */
  readonly asked: string[];
  /** Its public key, as everybody can fetch it. */
  publicKey(): JWK;
  /** A token with these claims beside `iss`, `aud`, `iat` and `exp`, which may be changed or taken out (undefined). */
  sign(claims: JWTPayload, header?: Readonly<Record<string, unknown>>): Promise<string>;
  /** From now on it signs with another key, and publishes that one alone. */
  rotate(): Promise<void>;
  /** From now on it answers so; null: as it should. */
  answer: Answer | null;
  close(): Promise<void>;
}

/** Answers a request in place of the issuer, or, with false, leaves it to the issuer. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => boolean;

interface Key {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

const ALGORITHM = 'RS256';

export async function openIssuer(audience = 'leasehold'): Promise<Issuer> {
  let key = await makeKey(1);
  let made = 1;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    if (issuer.answer?.(request, response) === true) return;
    const known: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` },
      '/keys': { keys: [key.jwk] },
    };
    response.statusCode = Object.hasOwn(known, path) ? 200 : 404;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(known[path] ?? {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer: Issuer = {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    audience,
    asked,
    answer: null,
    publicKey: () => key.jwk,
    sign: (claims, header = {}) => {
      const now = Math.floor(Date.now() / 1_000);
      const payload = { iss: issuer.url, aud: audience, iat: now, exp: now + 600, ...claims };
      return new SignJWT(payload)
        .setProtectedHeader({ alg: ALGORITHM, kid: key.jwk.kid!, ...header })
        .sign(key.privateKey);
    },
    rotate: async () => {
      made += 1;
      key = await makeKey(made);
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return issuer;
}

async function makeKey(number: number): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: `key-${number}`, alg: ALGORITHM, use: 'sig' } };
}
