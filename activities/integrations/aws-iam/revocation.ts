/** Name of the inline policy that carries a dynamic secret's own document. */
export const LEASE_POLICY = 'leasehold';

/** Name of the inline policy that denies everything while a user is being removed. */
export const REVOKED_POLICY = 'leasehold-revoked';

/**
 * Denies everything. Put first at removal: it also stops sessions that the user's keys obtained from GetSessionToken or
 * GetFederationToken, and any key that was made behind our back.
 */
export const DENY_EVERYTHING = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
});
