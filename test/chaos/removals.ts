import type { SeenLease } from './seen-leases';
import { ROUNDING_MS } from './instants';
import { means } from './terms';
import type { ChangeSeen, LeaseRun } from './trace';

/** The end of what a lease had made at its provider. */
export interface Removal {
  readonly leaseId: string;
  readonly integration: string;
  /** `sweep`: its workflow was ended by force. */
  readonly by: 'expiry' | 'revoke' | 'failure' | 'sweep';
  /** When its end had come, or was asked for. */
  readonly dueAt: number;
  /** When the provider removed it, or else when the lease said so. */
  readonly goneAt: number;
  /** When the lease said so; for the sweep, which keeps no lease, the same. */
  readonly toldAt: number;
}

export function removalsOf(leases: Iterable<SeenLease>): readonly Removal[] {
  return [...leases].flatMap((lease) => lease.runs.flatMap((run) => removalOf(lease, run) ?? []));
}

function removalOf(lease: SeenLease, run: LeaseRun): Removal | null {
  const { leaseId, integration, status, state, startedAt, closedAt, deprovisionScheduledAt, expiresAt } = run;
  if (integration === null || closedAt === null) return null;
  const removed = (from: number, to: number): number | undefined =>
    lease.deeds.findLast(({ effect, done, at }) => effect === 'removes' && done && at >= from && at <= to)?.at;
  if (status === 'TERMINATED') {
    const next = lease.runs[lease.runs.indexOf(run) + 1];
    const goneAt = next === undefined ? removed(closedAt, Infinity) : undefined;
    return goneAt === undefined ? null : { leaseId, integration, by: 'sweep', dueAt: closedAt, goneAt, toldAt: goneAt };
  }
  if (status !== 'COMPLETED' || state === 'abandoned' || deprovisionScheduledAt === null) return null;
  const goneAt = removed(deprovisionScheduledAt - ROUNDING_MS, closedAt + ROUNDING_MS) ?? closedAt;
  const gone = { leaseId, integration, goneAt, toldAt: Math.max(goneAt, closedAt) };
  const asked = lease.changes.find(
    (change) => isAnsweredEnd(change) && means(change, run) && change.answeredAt >= startedAt,
  );
  // A bulk revoke may end what begins while it is answered, or later, but that it must is certain of what was there only.
  const askedAt = asked === undefined ? Infinity : Math.max(asked.askedAt, startedAt);
  // One that was asked for and expires all the same was to end then.
  if (state !== 'failed' && askedAt < (expiresAt ?? Infinity)) return { ...gone, by: 'revoke', dueAt: askedAt };
  if (state === 'expired' && expiresAt !== null) return { ...gone, by: 'expiry', dueAt: expiresAt };
  return { ...gone, by: 'failure', dueAt: deprovisionScheduledAt };
}

/** One of which no answer came may have begun at any time. */
function isAnsweredEnd({ what, answer }: ChangeSeen): boolean {
  return ['revoke', 'bulk-revoke', 'cancel'].includes(what) && answer === 'ok';
}
