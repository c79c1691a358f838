import { ROUNDING_MS, seconds, time } from '../instants';
import type { SeenLease } from '../seen-leases';
import type { DeedSeen, LeaseRun, Snapshot } from '../trace';
import { judge } from './rule';
import type { Evidence, Judgement, Verdict } from './rule';

/** P1: what is at a provider belongs to a lease that runs, has its plan in history, and does not say that it has ended. */
export function noOrphans(evidence: Evidence): Verdict {
  const judgement = judge('P1');
  const { snapshots } = evidence.trace;
  for (const lease of evidence.leases.values()) {
    judgeShown(lease, snapshots, judgement);
    judgeNames(lease, snapshots, judgement);
    for (const deed of lease.deeds) {
      if (deed.effect === 'makes' && deed.done) judgeMaking(lease, deed, judgement);
    }
  }
  judgeLooks(evidence, judgement);
  judgeEnd(evidence, judgement);
  return judgement.verdict();
}

/** Told once for each lease, with how long it was seen to last. */
function judgeShown(lease: SeenLease, snapshots: readonly Snapshot[], judgement: Judgement): void {
  const orphaned = [...lease.shown.keys()]
    .map((index) => snapshots[index]!)
    .filter((snapshot) => {
      judgement.look();
      return !isAllowed(lease, snapshot);
    });
  const [first] = orphaned;
  const last = orphaned.at(-1);
  if (first === undefined || last === undefined) return;
  const closed = closedBefore(lease, first.startedAt);
  const what =
    closed === undefined
      ? 'and no lease had planned it'
      : `though its lease had said at ${time(closed.closedAt ?? NaN)} that it was ${closed.state ?? closed.status}`;
  judgement.violated(
    lease.leaseId,
    `The provider still showed its entity at ${time(first.startedAt)} (for ${seconds(last.startedAt - first.startedAt)} at least), ${what}.`,
  );
}

/** What a plan does not name cannot be removed by it. */
function judgeNames({ leaseId, runs, shown }: SeenLease, snapshots: readonly Snapshot[], judgement: Judgement): void {
  const planned = runs.filter(({ entity }) => entity !== null).map(({ entity }) => entity);
  if (planned.length === 0) return;
  for (const [index, entities] of shown) {
    const stranger = entities.find(({ name }) => !planned.includes(name));
    if (stranger === undefined) continue;
    judgement.violated(
      leaseId,
      `The provider showed ${stranger.name} of it at ${time(snapshots[index]!.startedAt)}, which no plan names: planned was ${planned.join(', ')}.`,
    );
    return;
  }
}

function isAllowed(lease: SeenLease, { startedAt, endedAt }: Snapshot): boolean {
  const runs = lease.runs.some(
    ({ plannedAt, closedAt }) =>
      plannedAt !== null && plannedAt <= endedAt && (closedAt === null || closedAt + ROUNDING_MS >= startedAt),
  );
  if (runs) return true;
  const closed = closedBefore(lease, startedAt);
  return closed !== undefined && closed.plannedAt !== null && !saysGone(closed);
}

/** The last run that was over by then. */
function closedBefore(lease: SeenLease, instant: number): LeaseRun | undefined {
  return lease.runs
    .filter(({ closedAt }) => closedAt !== null && closedAt < instant)
    .reduce<LeaseRun | undefined>(
      (last, run) => (last === undefined || (run.closedAt ?? 0) > (last.closedAt ?? 0) ? run : last),
      undefined,
    );
}

/** One that was terminated, or given up, leaves its entity to the sweep. */
function saysGone({ status, state }: LeaseRun): boolean {
  return status === 'COMPLETED' && state !== 'abandoned';
}

/** What was on its way to the provider when its workflow was ended by force may still arrive. */
const UNDER_WAY_MS = 10_000;

function judgeMaking(lease: SeenLease, deed: DeedSeen, judgement: Judgement): void {
  judgement.look();
  const what = `${deed.operation} of ${deed.entity ?? 'its entity'} was done at ${time(deed.at)}`;
  const current = lease.runs.filter(
    ({ startedAt, closedAt }) =>
      startedAt <= deed.at + ROUNDING_MS && (closedAt === null || closedAt + ROUNDING_MS >= deed.at),
  );
  if (current.some(({ plannedAt }) => plannedAt !== null && plannedAt <= deed.at + ROUNDING_MS)) return;
  const closed = closedBefore(lease, deed.at);
  const wasCut = closed !== undefined && !saysGone(closed) && deed.at <= (closed.closedAt ?? 0) + UNDER_WAY_MS;
  if (wasCut && closed.plannedAt !== null) return;
  if (current.length > 0) {
    const planned = Math.min(...current.map(({ plannedAt }) => plannedAt ?? Infinity));
    judgement.violated(lease.leaseId, `${what}, before its plan was in history (${time(planned)}).`);
  } else if (closed !== undefined) {
    judgement.violated(lease.leaseId, `${what}, after its lease had ended at ${time(closed.closedAt ?? NaN)}.`);
  } else {
    judgement.violated(lease.leaseId, `${what}, and Temporal knows no such lease.`);
  }
}

/** Longer, and a good part of a lease could pass unseen. */
const LOOKED_WITHIN_MS = 30_000;

/** Whoever saw nothing has shown nothing. */
function judgeLooks({ trace, leases, terms }: Evidence, judgement: Judgement): void {
  trace.snapshots.forEach(({ startedAt }, index) => {
    const before = trace.snapshots[index - 1];
    if (before === undefined || startedAt - before.endedAt <= LOOKED_WITHIN_MS) return;
    judgement.violated(
      null,
      `Nobody looked at what the providers hold from ${time(before.endedAt)} to ${time(startedAt)}.`,
    );
  });
  for (const leaseId of terms.keys()) {
    if (leases.get(leaseId)?.deeds.some(({ effect, done }) => effect === 'makes' && done) === true) continue;
    judgement.violated(leaseId, 'It was delivered, and no call was seen that made it.');
  }
}

/** At the end nothing is there that was not there before anything was asked. */
function judgeEnd({ trace }: Evidence, judgement: Judgement): void {
  const last = trace.snapshots.at(-1);
  if (last === undefined) {
    judgement.violated(null, 'Nobody looked at what the providers hold.');
    return;
  }
  judgement.look();
  if (last.startedAt < trace.healedAt) {
    judgement.violated(null, `Nobody looked at what the providers hold after ${time(last.startedAt)}.`);
  }
  const before = new Set((trace.snapshots[0]?.entities ?? []).map(({ integration, name }) => `${integration}/${name}`));
  for (const { integration, name, leaseId } of last.entities) {
    if (leaseId === null && before.has(`${integration}/${name}`)) continue;
    judgement.violated(
      leaseId,
      `${name} is left at ${integration}, ${seconds(last.startedAt - trace.healedAt)} after the end of all faults.`,
    );
  }
}
