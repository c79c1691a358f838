import { inspect } from 'node:util';
import type { Claim } from '../workflows/contract';
import { revokeLease } from './end';
import { extendLease } from './extend';
import type { Lease } from './leases';
import type { Session } from './session';

export interface Issued {
  readonly claim: Claim;
  readonly credential: Readonly<Record<string, string>>;
  /** As it is kept: `library:<holder>`. */
  readonly holder: string;
}

/** A lease whose credential is not shown when the lease is printed, copied or serialised. */
export function createLease(session: Session, { claim, credential, holder }: Issued): Lease {
  const { leaseId, expiresAt, usableAt, facts, notes } = claim;
  const open: Omit<Lease, 'credential'> = {
    leaseId,
    expiresAt: new Date(expiresAt),
    usableAt: usableAt === null ? null : new Date(usableAt),
    facts,
    notes,
    extend: (ttl, options) => extendLease(session, leaseId, ttl, options),
    revoke: (options) => revokeLease(session, leaseId, options, holder),
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
