import { createRemoteJWKSet, customFetch, errors } from 'jose';
import type { FetchImplementation, JWTVerifyGetKey } from 'jose';
import { isKeysUrl } from '../../config/load';
import type { IssuerSettings } from '../../config/load';

/** An issuer whose keys cannot be had. The message is a sentence for operators, without anything of what was answered. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable';
}

const MAX_BYTES = 512 * 1024;
/** For each of two answers: Doppler's CLI gives up after ten seconds. */
const TIMEOUT_MS = 3_000;
/** After this time keys are fetched anew, so that one which was withdrawn is not honoured for longer. */
const KEYS_MAX_AGE_MS = 10 * 60_000;
/** How often tokens that name an unknown key can have keys fetched. */
const COOLDOWN_MS = 10_000;
/** How often an issuer that did not answer is asked again, whoever asks us. */
const PAUSE_MS = 1_000;

type RemoteKeys = ReturnType<typeof createRemoteJWKSet>;

/**
 * The keys of an issuer, fetched when they are needed and kept for a while.
 * @returns finds the key of a token, or throws IssuerUnavailable, or the refusal of a token that names none of them.
 */
export function openIssuerKeys({ issuer, jwksUri }: Pick<IssuerSettings, 'issuer' | 'jwksUri'>): JWTVerifyGetKey {
  let found: Promise<RemoteKeys> | undefined;
  let known: RemoteKeys | undefined;
  let failure: { readonly at: number; readonly error: IssuerUnavailable } | undefined;

  const find = async (): Promise<RemoteKeys> => {
    const url = new URL(jwksUri ?? (await discover(issuer)));
    known = createRemoteJWKSet(url, {
      [customFetch]: fetchBounded,
      timeoutDuration: TIMEOUT_MS,
      cacheMaxAge: KEYS_MAX_AGE_MS,
      cooldownDuration: COOLDOWN_MS,
    });
    return known;
  };

  return async (header, token) => {
    if (failure !== undefined && Date.now() < failure.at + PAUSE_MS && known?.fresh !== true) throw failure.error;
    try {
      return await (
        await (found ??= find())
      )(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      failure = { at: Date.now(), error: new IssuerUnavailable(explain(error)) };
      // Its keys may have moved: the next one asks where they are.
      if (known?.fresh !== true) found = known = undefined;
      throw failure.error;
    }
  };
}

async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetchBounded(url, {
    method: 'GET',
    headers: new Headers({ accept: 'application/json' }),
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const document = (await response.json().catch(() => null)) as Readonly<Record<string, unknown>> | null;
  if (document?.['issuer'] !== issuer) {
    throw new IssuerUnavailable(
      'Its discovery document is none, or is of another issuer: "issuer" must be written as there.',
    );
  }
  const keys = document['jwks_uri'];
  // An issuer on the net must not have us ask this machine.
  const isAllowed = typeof keys === 'string' && isKeysUrl(keys) && (keys.startsWith('https:') || !isSecure(issuer));
  if (!isAllowed) throw new IssuerUnavailable('Its discovery document names no https:// URL of keys.');
  return keys;
}

function isSecure(url: string): boolean {
  return url.startsWith('https:');
}

/** Follows no redirect, and reads no more than keys can be. */
const fetchBounded: FetchImplementation = async (url, options) => {
  const response = await fetch(url, { ...options, redirect: 'manual' });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new IssuerUnavailable(
      `It answered with status ${response.status}${response.status < 400 ? '; redirects are not followed' : ''}.`,
    );
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length > MAX_BYTES) throw new IssuerUnavailable(`It answered with more than ${MAX_BYTES / 1024} KiB.`);
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), { status: 200 });
};

function explain(error: unknown): string {
  if (error instanceof IssuerUnavailable) return error.message;
  const isTimeout = error instanceof errors.JWKSTimeout || (error instanceof Error && error.name === 'TimeoutError');
  if (isTimeout) return `It did not answer within ${TIMEOUT_MS / 1_000} s.`;
  if (error instanceof errors.JOSEError) return 'What it answered is no set of keys.';
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'unknown';
  return `It cannot be reached (${code}).`;
}
