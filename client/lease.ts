import { inspect } from 'node:util';
import type { Lease, Leases } from './leases';

/** What is known of a lease once its credential has been opened. */
export type Issued = Omit<Lease, 'extend' | 'revoke'>;

/**
 * A lease whose credential is not shown when the lease is printed, copied or serialised.
 * @param leases how it is extended and revoked.
 */
export function createLease(leases: Pick<Leases, 'extend' | 'revoke'>, issued: Issued): Lease {
  const { leaseId, expiresAt, usableAt, credential, facts, notes } = issued;
  const open: Omit<Lease, 'credential'> = {
    leaseId,
    expiresAt,
    usableAt,
    facts,
    notes,
    extend: (ttl, options) => leases.extend(leaseId, ttl, options),
    revoke: (options) => leases.revoke(leaseId, options),
  };
  Object.defineProperty(open, 'credential', { value: coverCredential(credential), enumerable: false });
  return Object.freeze(open) as Lease;
}

/** Reads, spreads and serialises like any object, but prints as its names only. */
function coverCredential(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const credential = { ...values };
  Object.defineProperty(credential, inspect.custom, {
    value: () => `[credential: ${Object.keys(values).join(', ')}]`,
    enumerable: false,
  });
  return Object.freeze(credential);
}
