import { setMaxListeners } from 'node:events';
import type { Lease } from '../../client/http';
import { LeaseError } from '../../client/http';

/** A lease that was made and is not known to have ended. */
export interface Owed {
  /** Of its dynamic secret. */
  readonly name: string;
  readonly lease: Lease;
  /** As of its latest extension. */
  expiresAt: Date;
  /** Why it could not be revoked, in a sentence. */
  problem?: string;
}

/** All leases that were made for one program. */
export interface Ledger {
  add(name: string, lease: Lease): Owed;
  /** @throws LeaseError if it was not accepted, unless {@link Ledger.giveUp} was called. */
  revoke(owed: Owed, reason: string): Promise<void>;
  /** What has not been revoked. */
  left(): readonly Owed[];
  /** From now on a revoke is done with whatever comes of it, also one that is under way. */
  giveUp(): void;
  hasGivenUp(): boolean;
}

export function createLedger(): Ledger {
  const owed = new Set<Owed>();
  const given = new AbortController();
  const { signal } = given;
  // Each revoke listens to it, which Node would warn of.
  setMaxListeners(0, signal);
  return {
    add: (name, lease) => {
      const entry = { name, lease, expiresAt: lease.expiresAt };
      owed.add(entry);
      return entry;
    },
    revoke: async (entry, reason) => {
      if (!owed.has(entry) || signal.aborted) return;
      try {
        await entry.lease.revoke({ reason, signal });
      } catch (error) {
        const code = error instanceof LeaseError ? error.code : null;
        if (code !== 'LeaseNotFound') {
          if (error instanceof LeaseError && code !== 'Aborted') entry.problem = error.message;
          if (given.signal.aborted) return;
          throw error;
        }
      }
      owed.delete(entry);
    },
    left: () => [...owed],
    giveUp: () => {
      given.abort();
    },
    hasGivenUp: () => signal.aborted,
  };
}
