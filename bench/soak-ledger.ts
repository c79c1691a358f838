/** What a soak knows of its leases, held against what the provider has. Instants are of the wall clock, in milliseconds. */
export interface Ledger {
  issued(role: string, now: number, expiresAt: number): void;
  /** From now on it ends at another time. */
  moved(role: string, expiresAt: number): void;
  /** To be called before a revoke is asked for. */
  revoking(role: string, now: number): void;
  /** Leases that were not yet seen to be gone. */
  open(): number;
  /**
   * Compares with the roles that the provider listed between two instants, and forgets leases that have ended and are gone.
   * @throws LeaseLost if a lease that lived all the while has no role, or one that has ended was never seen to have one; LeaseLeft if
   * there is a role long after the end of its lease.
   */
  compare(listed: readonly string[], began: number, ended: number): void;
}

/** A credential was gone before its lease had ended, or was never there. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** A credential outlived its lease. */
export class LeaseLeft extends Error {
  override readonly name = 'LeaseLeft';
}

interface Entry {
  readonly issuedAt: number;
  /** When its removal may begin at the earliest, and begins if all is well. */
  endsAt: number;
  isSeen: boolean;
}

/** How long a removal may take. Also an issue, after which a role that no lease is known of is one too many. */
export const PATIENCE_MS = 90_000;

export function openLedger(): Ledger {
  const entries = new Map<string, Entry>();
  /** Roles without a known lease, e.g. of an issue under way, and when they were first seen. */
  const strangers = new Map<string, number>();
  const compareKnown = (there: ReadonlySet<string>, began: number, ended: number): void => {
    for (const [role, entry] of entries) {
      const { issuedAt, endsAt } = entry;
      if (there.has(role)) {
        entry.isSeen = true;
        if (began - endsAt > PATIENCE_MS) throw left(role, began - endsAt);
      } else if (endsAt <= ended) {
        if (!entry.isSeen) throw new LeaseLost(`The role ${role} was never seen, and its lease has ended.`);
        entries.delete(role);
      } else if (issuedAt <= began) {
        throw new LeaseLost(`The role ${role} is gone ${seconds(endsAt - ended)} s before its lease may end.`);
      }
    }
  };
  const compareStrangers = (there: ReadonlySet<string>, began: number): void => {
    for (const role of strangers.keys()) if (!there.has(role)) strangers.delete(role);
    for (const role of there) {
      if (entries.has(role)) continue;
      const since = strangers.get(role) ?? began;
      strangers.set(role, since);
      if (began - since > PATIENCE_MS) throw left(role, began - since);
    }
  };
  return {
    issued: (role, now, expiresAt) => {
      entries.set(role, { issuedAt: now, endsAt: expiresAt, isSeen: strangers.delete(role) });
    },
    moved: (role, expiresAt) => {
      const entry = entries.get(role);
      if (entry !== undefined) entry.endsAt = expiresAt;
    },
    revoking: (role, now) => {
      const entry = entries.get(role);
      if (entry !== undefined) entry.endsAt = Math.min(entry.endsAt, now);
    },
    open: () => entries.size,
    compare: (listed, began, ended) => {
      const there = new Set(listed);
      compareKnown(there, began, ended);
      compareStrangers(there, began);
    },
  };
}

function left(role: string, ms: number): LeaseLeft {
  return new LeaseLeft(`The role ${role} is still there ${seconds(ms)} s after the end of its lease.`);
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
