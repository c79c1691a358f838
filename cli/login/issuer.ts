import type * as Oidc from 'openid-client';
import type { Configuration, DeviceAuthorizationResponse, TokenEndpointResponse } from 'openid-client';
import { LeaseError } from '../../client/http';
import { readWhole } from '../../client/read-whole';
import { isLocal } from '../../config/this-machine';
import { printable } from '../output/printable';
import type { OidcSignIn } from '../settings';

/** An OIDC issuer, as a client without a secret meets it. All that it refuses or fails at is a LeaseError. */
export interface Issuer {
  /** Begins a device authorization. */
  begin(scopes: readonly string[], parameters: Readonly<Record<string, string>>): Promise<Device>;
  /** Waits until somebody has allowed it. */
  wait(device: Device, signal: AbortSignal): Promise<IssuedTokens>;
  renew(refreshToken: string): Promise<IssuedTokens>;
  /** Whether the issuer says that it forgot the token. */
  revoke(refreshToken: string): Promise<boolean>;
}

export interface Device {
  /** Where people go, and what they enter there. */
  readonly url: string;
  readonly code: string;
  /** The same with the code in it, if the issuer has such. */
  readonly wholeUrl: string | null;
  readonly expiresAt: Date;
  readonly response: DeviceAuthorizationResponse;
}

export interface IssuedTokens {
  /** The one of the kind that the API takes. */
  readonly token: string;
  readonly lifetimeMs: number;
  /** Null: it issued none, and the one before, if any, stays. */
  readonly refreshToken: string | null;
}

export interface IssuerOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly presents: OidcSignIn['presents'];
}

const REQUEST_S = 10;
const LONGEST_S = 3_600;
const LONGEST_LIFETIME_S = 366 * 24 * 3_600;
const LARGEST_BYTES = 1024 * 1024;
/** Of an access token whose issuer does not say. */
const USUAL_LIFETIME_S = 300;

/** Reads the issuer's discovery document. @throws LeaseError if there is none, or if it is not safe to go by. */
export async function openIssuer({ issuer, clientId, presents }: IssuerOptions): Promise<Issuer> {
  requireSafe(issuer, issuer);
  // Only who signs in or renews waits for it to be loaded.
  const oidc = await import('openid-client');
  const explain = (error: unknown): LeaseError => toLeaseError(error, issuer, oidc);
  const guard = <T>(act: () => Promise<T>): Promise<T> =>
    act().catch((error: unknown) => {
      throw explain(error);
    });
  const isPlain = new URL(issuer).protocol === 'http:';
  const configuration = await guard(() =>
    // When a token is good is for the API to say: the clock of this machine may be wrong.
    oidc.discovery(new URL(issuer), clientId, { [oidc.clockTolerance]: LONGEST_LIFETIME_S * 100 }, oidc.None(), {
      timeout: REQUEST_S,
      [oidc.customFetch]: fetchWhole,
      // Only to this machine, as was just seen; where it sends us is looked at below.
      // eslint-disable-next-line @typescript-eslint/no-deprecated
      ...(isPlain ? { execute: [oidc.allowInsecureRequests] } : {}),
    }),
  );
  requireSafeEndpoints(configuration, issuer);

  const take = (
    tokens: TokenEndpointResponse & { claims(): { exp: number; iat: number } | undefined },
  ): IssuedTokens => {
    const claims = tokens.claims();
    const token = tokens[presents];
    if (token === undefined) {
      throw new LeaseError(
        'Unauthenticated',
        `${issuer} gave no ${presents === 'id_token' ? 'ID token' : 'access token'}, which the API wants.`,
      );
    }
    if (!/^[\x21-\x7e]{1,16000}$/.test(token)) throw notUnderstood(issuer);
    const lifetimeS =
      presents === 'id_token' && claims !== undefined
        ? claims.exp - claims.iat
        : (tokens.expires_in ?? USUAL_LIFETIME_S);
    const lifetimeMs = Math.min(Math.max(lifetimeS, 0), LONGEST_LIFETIME_S) * 1_000;
    return { token, lifetimeMs, refreshToken: tokens.refresh_token ?? null };
  };

  return {
    begin: (scopes, parameters) =>
      guard(async () => {
        const scope = scopes.length === 0 ? {} : { scope: scopes.join(' ') };
        const response = await oidc.initiateDeviceAuthorization(configuration, { ...parameters, ...scope });
        return toDevice(response, issuer);
      }),
    wait: async (device, signal) => {
      const end = AbortSignal.timeout(Math.max(device.expiresAt.getTime() - Date.now(), 0));
      for (;;) {
        try {
          const bounds = AbortSignal.any([signal, end]);
          return take(
            await oidc.pollDeviceAuthorizationGrant(configuration, device.response, undefined, { signal: bounds }),
          );
        } catch (error) {
          if (signal.aborted) throw new LeaseError('Aborted', 'Signing in was called off. Nothing was stored.');
          if (end.aborted) throw tooLate(issuer);
          // Whoever is signing in there should not have to begin anew because one question was lost.
          if (!isPassing(error)) throw explain(error);
        }
      }
    },
    renew: (refreshToken) => guard(async () => take(await oidc.refreshTokenGrant(configuration, refreshToken))),
    revoke: (refreshToken) =>
      guard(async () => {
        if (configuration.serverMetadata().revocation_endpoint === undefined) return false;
        await oidc.tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' });
        return true;
      }),
  };
}

function toDevice(response: DeviceAuthorizationResponse, issuer: string): Device {
  const { user_code: code, verification_uri: url, verification_uri_complete: whole, interval = 5 } = response;
  // Both are shown in a terminal.
  if (!/^[\x20-\x7e]{1,100}$/.test(code)) throw notUnderstood(issuer);
  const expiresInS = Math.min(Math.max(response.expires_in, 1), LONGEST_S);
  return {
    url: requireSafe(url, issuer),
    code,
    wholeUrl: whole === undefined ? null : requireSafe(whole, issuer),
    expiresAt: new Date(Date.now() + expiresInS * 1_000),
    response: { ...response, interval: Math.min(Math.max(interval, 1), 60) },
  };
}

const ENDPOINTS = ['device_authorization_endpoint', 'token_endpoint', 'revocation_endpoint'] as const;

function requireSafeEndpoints(configuration: Configuration, issuer: string): void {
  const metadata = configuration.serverMetadata();
  for (const name of ENDPOINTS) if (metadata[name] !== undefined) requireSafe(metadata[name], issuer);
}

/** The address, if nobody on the way reads what is sent there. */
function requireSafe(text: string, issuer: string): string {
  if (isSafe(text)) return new URL(text).href;
  const shown = printable(issuer.slice(0, 200));
  throw new LeaseError(
    'Unavailable',
    `The issuer ${shown} is not safe: it, or where it sends us, is no https:// address, or one that may be taken for another.`,
  );
}

/** Also for people who read it: no user that looks like a host, nothing that a terminal does not show. */
function isSafe(text: string): boolean {
  if (!/^[\x21-\x7e]{1,2000}$/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLocal(hostname));
}

/** Whether an address is of this machine. */
export function isThisMachine(text: string): boolean {
  return URL.canParse(text) && isLocal(new URL(text).hostname);
}

/** An answer of usual size: another one is not waited for. */
async function fetchWhole(url: string, options: Oidc.CustomFetchOptions): Promise<Response> {
  const response = await fetch(url, options as RequestInit);
  const { status, headers } = response;
  return new Response(response.body === null ? null : await readWhole(response, LARGEST_BYTES), { status, headers });
}

function toLeaseError(error: unknown, issuer: string, oidc: typeof Oidc): LeaseError {
  if (error instanceof LeaseError) return error;
  if (isPassing(error)) {
    return new LeaseError(
      'Unavailable',
      `The issuer ${issuer} cannot be reached, or does not answer in time. Try again.`,
    );
  }
  if (error instanceof oidc.ResponseBodyError) return refused(error.error, issuer);
  return notUnderstood(issuer);
}

function refused(code: string, issuer: string): LeaseError {
  switch (code) {
    case 'access_denied':
      return new LeaseError('Unauthenticated', `Signing in was denied at ${issuer}. Nothing was stored.`);
    case 'expired_token':
      return tooLate(issuer);
    default:
      return new LeaseError(
        'Unauthenticated',
        `${issuer} refused it (${/^[a-z_]{1,60}$/.test(code) ? code : 'unknown'}).`,
      );
  }
}

function tooLate(issuer: string): LeaseError {
  return new LeaseError(
    'Timeout',
    `Nobody signed in at ${issuer} while the code was good. Nothing was stored. Try again.`,
  );
}

function notUnderstood(issuer: string): LeaseError {
  return new LeaseError(
    'Unavailable',
    `The issuer ${issuer} does not answer as an OpenID provider with device authorization does.`,
  );
}

/** Connections that failed, answers that did not come, and an issuer that is not well. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const status = error.cause instanceof Response ? error.cause.status : 'status' in error ? error.status : null;
  if (typeof status === 'number' && (status >= 500 || status === 429)) return true;
  if ('error' in error && ['server_error', 'temporarily_unavailable'].includes(String(error.error))) return true;
  if ('code' in error && error.code === 'OAUTH_TIMEOUT') return true;
  return error instanceof TypeError && ['fetch failed', 'terminated'].includes(error.message);
}
