import type { Config } from '../../config/load';
import { refusal } from '../errors';
import type { ApiError } from '../errors';
import type { Identity } from './identity';
import { verifyToken } from './token';

/**
 * Says who stands behind an `Authorization` header: `Bearer <token>`, `Basic` with the token as the user name, or `Basic <token>`.
 * @throws ApiError 401 `unauthenticated`, the same for a missing, wrong or expired token.
 */
export type Authenticate = (authorization: string | undefined) => Promise<Identity>;

/** @param config the configuration in force, asked at each request. */
export function createAuthenticate(config: () => Config): Authenticate {
  return (authorization) =>
    new Promise((resolve) => {
      for (const text of readTokens(authorization)) {
        const identity = verifyToken(text, config().access);
        if (identity !== null) {
          resolve(identity);
          return;
        }
      }
      throw unauthenticated();
    });
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
