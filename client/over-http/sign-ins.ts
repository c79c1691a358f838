import { loginBody } from '../wire';
import { readOverHttp } from './catalog';
import type { Remote } from './remote';

/** A device authorization (RFC 8628) at an OIDC issuer, of which the API takes tokens. */
export interface SignInOffer {
  /** The API's own name for the issuer. */
  readonly alias: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Which of the issuer's tokens is sent to the API. */
  readonly token: 'id_token' | 'access_token';
  /** For the device authorization, beside client and scope. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** See `offeredSignIns`. */
export async function signInsOverHttp(remote: Remote): Promise<readonly SignInOffer[]> {
  const { issuers } = await readOverHttp(remote, '/v1/login', loginBody);
  return issuers.map(({ client_id: clientId, ...rest }) => ({ ...rest, clientId }));
}
