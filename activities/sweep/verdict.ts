import type { SweepReason } from '../../workflows/contract';
import type { EntityMarks } from '../integrations/integration';

/** What Temporal says of the lease whose id an entity bears. */
export type SeenLease =
  /** `isRemoving`: its own removal has begun. */
  | { readonly is: 'running'; readonly runId: string; readonly expiresAt: Date | null; readonly isRemoving: boolean }
  /** `how`: in words, e.g. `was terminated`. */
  | { readonly is: 'closed'; readonly runId: string; readonly closedAt: Date; readonly how: string }
  | { readonly is: 'unknown'; readonly runId: null };

/** What is to happen to an entity. `look`: its own marks must be read first. */
export type Verdict =
  | { readonly do: 'keep' | 'wait' | 'look' }
  | { readonly do: 'remove'; readonly reason: SweepReason; readonly why: string };

export interface SweepRules {
  /** The Temporal server's clock. */
  readonly now: Date;
  /** After the end of a lease, before its entity is removed. */
  readonly graceMs: number;
  /** After the expiry of a lease that still runs, before it is believed that its own code cannot run. */
  readonly overdueAfterMs: number;
  /** No lease of the integration may live longer. */
  readonly longestTtlMs: number;
  /** No mark that a lease of the integration puts on its entity says more than this and `graceMs` after the entity was made. */
  readonly longestMarkMs: number;
}

const KEEP = { do: 'keep' } as const;
const WAIT = { do: 'wait' } as const;

/** From what Temporal says alone. */
export function judgeLease(lease: SeenLease, rules: SweepRules): Verdict {
  switch (lease.is) {
    case 'closed':
      return isPast(lease.closedAt, rules.graceMs, rules)
        ? { do: 'remove', reason: 'closed', why: `The lease ${lease.how} at ${lease.closedAt.toISOString()}.` }
        : WAIT;
    case 'running':
      // A lease that has no expiry yet is being provisioned, or failed to be: its entity's own mark says how long that may take.
      if (lease.expiresAt === null) return { do: 'look' };
      return isPast(lease.expiresAt, rules.overdueAfterMs, rules) ? late(lease, lease.expiresAt) : KEEP;
    case 'unknown':
      return { do: 'look' };
  }
}

/** With the entity's own marks. A restored Temporal database knows nothing of leases that still live. */
export function judgeMarked(lease: SeenLease, marks: EntityMarks, createdAt: Date | null, rules: SweepRules): Verdict {
  const verdict = judgeLease(lease, rules);
  if (verdict.do !== 'look') return verdict;
  const expiresAt = believe(marks.expiresAt, createdAt, rules);
  if (lease.is === 'running') {
    // What bears no expiry, as keys of Datadog, is as old as no lease gets.
    const over = expiresAt ?? (createdAt === null ? null : new Date(createdAt.getTime() + rules.longestTtlMs));
    return over !== null && isPast(over, rules.overdueAfterMs, rules) ? late(lease, over) : KEEP;
  }
  if (expiresAt !== null) {
    if (!isPast(expiresAt, 0, rules)) return WAIT;
    return unknown(`its own mark says that it should be gone by ${expiresAt.toISOString()}`);
  }
  if (createdAt === null || !isPast(createdAt, rules.longestTtlMs + rules.graceMs, rules)) return WAIT;
  return unknown(
    `it bears no expiry that a lease can have and was made at ${createdAt.toISOString()}, longer ago than any lease lives`,
  );
}

/** A holder with rights to its own entity could put any instant there. One that is too far off to be of a lease is none. */
function believe(expiresAt: Date | null, createdAt: Date | null, rules: SweepRules): Date | null {
  if (expiresAt === null || createdAt === null) return expiresAt;
  return expiresAt.getTime() > createdAt.getTime() + rules.longestMarkMs + rules.graceMs ? null : expiresAt;
}

function late({ isRemoving }: Extract<SeenLease, { is: 'running' }>, expiresAt: Date): Verdict {
  const what = isRemoving ? 'its own removal has not succeeded yet' : 'its own code does not get to work';
  const why = `The lease still runs though its time was over at ${expiresAt.toISOString()}: ${what}.`;
  return { do: 'remove', reason: 'late', why };
}

function unknown(proof: string): Verdict {
  return { do: 'remove', reason: 'unknown', why: `Temporal does not know the lease, and ${proof}.` };
}

function isPast(instant: Date, afterMs: number, { now }: SweepRules): boolean {
  return instant.getTime() + afterMs <= now.getTime();
}
