import type { Config } from '../../config/load';
import { createLogger } from '../../telemetry/logger';
import type { Logger } from '../../telemetry/logger';
import { refusal } from '../errors';
import type { ApiError } from '../errors';
import type { Identity } from './identity';
import { createVerifyOidc } from './oidc';
import { verifyToken } from './token';

/**
 * Says who stands behind an `Authorization` header: `Bearer <token>`, `Basic` with the token as the user name, or `Basic <token>`.
 * A token is one of the configuration or of an OIDC issuer that it names.
 * @throws ApiError 401 `unauthenticated`, the same for a missing, wrong or expired token; 502 `unavailable` for one of an issuer
 * whose keys cannot be had.
 */
export type Authenticate = (authorization: string | undefined) => Promise<Identity>;

/** @param config the configuration in force, asked at each request. */
export function createAuthenticate(config: () => Config, logger: Logger = createLogger('silent')): Authenticate {
  const verifyOidc = createVerifyOidc(logger);
  return async (authorization) => {
    const { access } = config();
    for (const text of readTokens(authorization)) {
      const identity = verifyToken(text, access) ?? (await verifyOidc(text, access));
      if (identity !== null) return identity;
    }
    throw unauthenticated();
  };
}

/** What may be the token in a header. */
function readTokens(authorization: string | undefined): readonly string[] {
  const [, scheme = '', text = ''] = /^(bearer|basic) +([\x21-\x7e]{1,16000})$/i.exec(authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return [text];
  if (scheme === '') return [];
  const [user = ''] = Buffer.from(text, 'base64').toString('utf8').split(':');
  return [user, text];
}

function unauthenticated(): ApiError {
  return refusal(
    401,
    'unauthenticated',
    'No valid token was sent. Send one as "Authorization: Bearer <token>"; a missing, a wrong and an expired one are not told apart.',
  );
}
