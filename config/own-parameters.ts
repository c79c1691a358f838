/** What the command line says by itself in its requests to an issuer. */
export const OWN_PARAMETERS = ['client_id', 'client_secret', 'scope', 'grant_type', 'device_code', 'refresh_token'];

/** Some issuers do not tell `Scope` from `scope`. */
export function isOwnParameter(name: string): boolean {
  return OWN_PARAMETERS.includes(name.toLowerCase());
}
