import type { Delivery, SeenLease } from './seen-leases';
import type { ChangeSeen, LeaseRun } from './trace';

/** When a delivered lease may end, as far as those know who asked for anything. */
export interface Terms {
  readonly delivery: Delivery;
  /** The run whose credential was delivered; null: Temporal knows of none. */
  readonly run: LeaseRun | null;
  /** Removal may not begin before. */
  readonly mayEndFrom: number;
  /** Why not, for a sentence. */
  readonly because: string;
  /** The expiry that must be in force at the end; null: lost answers, or changes at the same time, leave more than one. */
  readonly certainExpiry: number | null;
}

/** What ends a lease before its expiry. */
export const ENDS: readonly ChangeSeen['what'][] = ['revoke', 'bulk-revoke', 'cancel', 'terminate', 'reset'];

/** Of the first delivery; null: nobody got a credential of this lease. */
export function termsOf(lease: SeenLease): Terms | null {
  const [delivery] = lease.deliveries;
  if (delivery === undefined) return null;
  const run = runOf(lease, delivery);
  const expiries = expiriesOf(lease, delivery);
  const values = expiries.possible.map(({ value }) => value);
  const expiry = Math.max(expiries.notBefore, Math.min(...values));
  const asked = lease.changes.find((change) => ENDS.includes(change.what) && means(change, run));
  const isAsked = asked !== undefined && asked.askedAt < expiry;
  return {
    delivery,
    run,
    mayEndFrom: isAsked ? asked.askedAt : expiry,
    because: isAsked ? `a ${asked.what} was asked for only then` : 'its expiry came only then',
    certainExpiry: expiries.possible.length === 1 && expiries.possible[0]!.isCertain ? values[0]! : null,
  };
}

/** Whether a change may be about this run. One that was begun anew under a freed key is another lease to those who ended the first. */
export function means({ what, answer, askedAt, answeredAt }: ChangeSeen, run: LeaseRun | null): boolean {
  if (run === null) return true;
  if (run.closedAt !== null && askedAt > run.closedAt) return false;
  return what === 'bulk-revoke' || what === 'reset' || answer !== 'ok' || answeredAt >= run.startedAt;
}

/** The last one that had made a credential by then. */
function runOf(lease: SeenLease, delivery: Delivery): LeaseRun | null {
  return (
    lease.runs.findLast(({ provisionedAt }) => provisionedAt !== null && provisionedAt <= delivery.answeredAt) ?? null
  );
}

interface Expiry {
  readonly value: number;
  readonly askedAt: number;
  /** Infinity: it may take effect at any time yet. */
  readonly settledAt: number;
  readonly isCertain: boolean;
}

/**
 * Every expiry that may be in force at the end. One that is certain takes the place of all that were settled before it was asked
 * for. Where an extension was accepted, the lease has not ended before it was asked for.
 */
function expiriesOf(
  lease: SeenLease,
  { outcome, askedAt, answeredAt }: Delivery,
): { readonly possible: readonly Expiry[]; readonly notBefore: number } {
  const first: Expiry = { value: outcome.expiresAt, askedAt, settledAt: answeredAt, isCertain: true };
  const all = [first, ...lease.changes.flatMap((change) => expiryOf(change))];
  const certain = all.filter(({ isCertain }) => isCertain);
  const possible = all.filter((each) => !certain.some((later) => later.askedAt > each.settledAt));
  return { possible, notBefore: Math.max(...certain.map((each) => each.askedAt)) };
}

function expiryOf(change: ChangeSeen): Expiry[] {
  const { what, askedAt, answeredAt, ttlMs, answer, expiresAt } = change;
  if ((what !== 'extend' && what !== 'shorten') || ttlMs === null) return [];
  const earliest = askedAt + ttlMs;
  if (answer === 'ok') return [{ value: expiresAt ?? earliest, askedAt, settledAt: answeredAt, isCertain: true }];
  if (!mayHaveHappened(answer, earliest, answeredAt)) return [];
  return [{ value: earliest, askedAt, settledAt: Infinity, isCertain: false }];
}

/** Decided before anything is moved. */
const NOTHING_DONE = ['invalidttl', 'extensionlimit', 'leasenotfound', 'notfound', 'forbidden', 'unauthenticated'];
/** The provider's own no, after which the old expiry stands again, unless the new one has come meanwhile. */
const TAKEN_BACK = ['refused', 'invalidinput', 'quotaexceeded'];

function mayHaveHappened(answer: string, earliest: number, answeredAt: number): boolean {
  const code = answer.toLowerCase().replaceAll(/[^a-z]/g, '');
  if (NOTHING_DONE.includes(code)) return false;
  return !TAKEN_BACK.includes(code) || earliest <= answeredAt;
}
