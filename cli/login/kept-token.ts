import { LeaseError } from '../../client/http';
import { UsageError } from '../exit';
import { holdSettings } from '../settings';
import type { OidcSignIn, SignIn } from '../settings';
import { warn } from '../warn';
import { openIssuer } from './issuer';
import type { IssuedTokens } from './issuer';

/** How long an issuer that failed is left alone, while the token is still good. */
const PAUSE_MS = 10_000;
const LONGEST_MARGIN_MS = 60_000;

/**
 * The token of a sign-in. One that is about to end is renewed, and the new one is stored for all commands: issuers honour a refresh
 * token but once.
 * @param host as the sign-in is stored under.
 */
export function keptToken(host: string, stored: SignIn): () => Promise<string> {
  let signIn = stored;
  let renewing: Promise<void> | null = null;
  let pausedUntil = 0;
  const renew = async (): Promise<void> => {
    try {
      signIn = await renewTogether(host);
    } catch (error) {
      if (isOver(signIn)) throw error instanceof UsageError ? new LeaseError('Unauthenticated', error.message) : error;
    }
    if (isDue(signIn)) pausedUntil = Date.now() + PAUSE_MS;
  };
  return async () => {
    if (!isDue(signIn) || (!isOver(signIn) && Date.now() < pausedUntil)) return signIn.token;
    renewing ??= renew().finally(() => {
      renewing = null;
    });
    await renewing;
    return signIn.token;
  };
}

/** What is stored of tokens that an issuer has just given. */
export function toSignIn(
  base: Omit<OidcSignIn, 'token' | 'expires_at' | 'renew_at' | 'kind'>,
  { token, lifetimeMs, refreshToken }: IssuedTokens,
): OidcSignIn {
  const { refresh_token: before, ...rest } = base;
  const refresh = refreshToken ?? before;
  const endsAt = Date.now() + lifetimeMs;
  const margin = refresh === undefined ? 0 : Math.min(LONGEST_MARGIN_MS, lifetimeMs / 4);
  return {
    kind: 'oidc',
    ...rest,
    token,
    expires_at: new Date(endsAt).toISOString(),
    renew_at: new Date(endsAt - margin).toISOString(),
    ...(refresh === undefined ? {} : { refresh_token: refresh }),
  };
}

/** One command at a time: the others find what it has stored. */
async function renewTogether(host: string): Promise<SignIn> {
  return holdSettings(async ({ settings, save }) => {
    const current = settings.sign_ins[host];
    if (current === undefined) throw signedOut(`You are no longer signed in at ${host}.`, host);
    if (!isDue(current)) return current;
    if (current.kind === 'token' || current.refresh_token === undefined) {
      if (!isOver(current)) return current;
      throw signedOut(`Your sign-in at ${host} ended at ${String(current.expires_at)}.`, host);
    }
    const next = await renewAtIssuer(host, current, current.refresh_token).catch((error: unknown) => {
      if (isOver(current)) throw error;
      return current;
    });
    if (next === current) return current;
    await save({ ...settings, sign_ins: { ...settings.sign_ins, [host]: next } }).catch((error: unknown) => {
      // What is known here is still good for this command.
      warn(error instanceof Error ? error.message : 'Your sign-in could not be stored.');
    });
    return next;
  });
}

async function renewAtIssuer(host: string, current: OidcSignIn, refreshToken: string): Promise<OidcSignIn> {
  const { issuer, client_id: clientId, presents } = current;
  try {
    const opened = await openIssuer({ issuer, clientId, presents });
    return toSignIn(current, await opened.renew(refreshToken));
  } catch (error) {
    if (!(error instanceof LeaseError) || error.code !== 'Unauthenticated') throw error;
    throw signedOut(`Your sign-in at ${host} is over: ${error.message}`, host);
  }
}

function signedOut(what: string, host: string): LeaseError {
  return new LeaseError('Unauthenticated', `${what} Sign in again: leasehold login --host ${host}`);
}

function isDue(signIn: SignIn): boolean {
  return signIn.kind === 'oidc' ? Date.now() >= Date.parse(signIn.renew_at) : isOver(signIn);
}

function isOver({ expires_at: end }: SignIn): boolean {
  return end !== null && Date.now() >= Date.parse(end);
}
