import type { SeenLease } from './seen-leases';
import { ROUNDING_MS } from './instants';
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
}

export function removalsOf(leases: Iterable<SeenLease>): readonly Removal[] {
  return [...leases].flatMap((lease) => lease.runs.flatMap((run) => removalOf(lease, run) ?? []));
}

function removalOf(lease: SeenLease, run: LeaseRun): Removal | null {
  const { leaseId, integration, status, state, closedAt, deprovisionScheduledAt, expiresAt } = run;
  if (integration === null || closedAt === null) return null;
  const removed = (from: number, to: number): number | undefined =>
    lease.deeds.findLast(({ effect, done, at }) => effect === 'removes' && done && at >= from && at <= to)?.at;
  if (status === 'TERMINATED') {
    const next = lease.runs[lease.runs.indexOf(run) + 1];
    const goneAt = next === undefined ? removed(closedAt, Infinity) : undefined;
    return goneAt === undefined ? null : { leaseId, integration, by: 'sweep', dueAt: closedAt, goneAt };
  }
  if (status !== 'COMPLETED' || state === 'abandoned' || deprovisionScheduledAt === null) return null;
  const goneAt = removed(deprovisionScheduledAt - ROUNDING_MS, closedAt + ROUNDING_MS) ?? closedAt;
  if (state === 'expired' && expiresAt !== null)
    return { leaseId, integration, by: 'expiry', dueAt: expiresAt, goneAt };
  const askedAt = state === 'revoked' ? lease.changes.find(isAnsweredEnd)?.askedAt : undefined;
  if (askedAt !== undefined) return { leaseId, integration, by: 'revoke', dueAt: askedAt, goneAt };
  return { leaseId, integration, by: 'failure', dueAt: deprovisionScheduledAt, goneAt };
}

/** One of which no answer came may have begun at any time. */
function isAnsweredEnd({ what, answer }: ChangeSeen): boolean {
  return ['revoke', 'bulk-revoke', 'cancel'].includes(what) && answer === 'ok';
}
