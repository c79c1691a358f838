import type * as Oidc from 'openid-client';
import type { Configuration, DeviceAuthorizationResponse, TokenEndpointResponse } from 'openid-client';
import { LeaseError } from '../../client/http';
import { isLocal } from '../../config/this-machine';
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
    oidc.discovery(new URL(issuer), clientId, undefined, oidc.None(), {
      timeout: REQUEST_S,
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
    const lifetimeS =
      presents === 'id_token' && claims !== undefined
        ? claims.exp - claims.iat
        : (tokens.expires_in ?? USUAL_LIFETIME_S);
    return { token, lifetimeMs: Math.max(lifetimeS, 0) * 1_000, refreshToken: tokens.refresh_token ?? null };
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
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal(url.hostname))))
    return url.href;
  const shown = issuer.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
  throw new LeaseError(
    'Unavailable',
    `The issuer ${shown} is not safe: it, or where it sends us, is no https:// address.`,
  );
}

function toLeaseError(error: unknown, issuer: string, oidc: typeof Oidc): LeaseError {
  if (error instanceof LeaseError) return error;
  if (error instanceof oidc.ResponseBodyError) return refused(error.error, issuer);
  if (isPassing(error)) {
    return new LeaseError(
      'Unavailable',
      `The issuer ${issuer} cannot be reached, or does not answer in time. Try again.`,
    );
  }
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

/** Connections that failed, and answers that did not come. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && error.code === 'OAUTH_TIMEOUT') return true;
  return error instanceof TypeError && error.message === 'fetch failed';
}
