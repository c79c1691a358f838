import { seconds, time } from '../instants';
import { heldUp } from '../lags';
import { removalsOf } from '../removals';
import type { SeenLease } from '../seen-leases';
import type { ChangeSeen, LeaseRun } from '../trace';
import { judge } from './rule';
import type { Evidence, Judgement, Verdict } from './rule';

/** "Within seconds" of a recovery, on a machine that has to catch up with everything else too. */
export const RECOVERS_WITHIN_MS = 60_000;
/** The same for one provider that was away, where nothing else is wrong. */
const RETURNS_WITHIN_MS = 30_000;
/** Nobody overlooks trouble that lasts for so long. */
const NOTICED_WITHIN_MS = 60_000;
/** Of one trouble that grows, and of a notice whose receipt was not heard of. */
const ALERTS_PER_TROUBLE = 4;

/** P3: every lease ends by itself, soon after recovery; nothing is given up unasked, and people are told of trouble once. */
export function neverGivenUp(evidence: Evidence): Verdict {
  const judgement = judge('P3');
  for (const lease of evidence.leases.values()) {
    for (const run of lease.runs) {
      judgement.look();
      judgeEnd(lease, run, judgement);
      judgeRecovery(evidence, run, judgement);
    }
  }
  for (const { leaseId, ms } of heldUp(evidence.trace, removalsOf(evidence.leases.values()))) {
    judgement.look();
    if (ms <= RETURNS_WITHIN_MS) continue;
    judgement.violated(leaseId, `It was removed only ${seconds(ms)} after the end of the outage that had held it up.`);
  }
  judgeAlerts(evidence, judgement);
  return judgement.verdict();
}

function judgeEnd({ changes }: SeenLease, run: LeaseRun, judgement: Judgement): void {
  const { leaseId, runId, status, state, closedAt } = run;
  const wasAsked = (...what: ChangeSeen['what'][]): boolean => changes.some((change) => what.includes(change.what));
  if (closedAt === null) {
    const stuck = run.stuckAt === null ? '' : `, and was stuck at ${time(run.stuckAt)}`;
    judgement.violated(leaseId, `Its run ${runId}, begun at ${time(run.startedAt)}, has not ended${stuck}.`);
  } else if (status === 'TERMINATED') {
    if (wasAsked('terminate', 'reset')) return;
    judgement.violated(leaseId, `It was terminated at ${time(closedAt)}, and nobody had asked for that.`);
  } else if (status !== 'COMPLETED') {
    judgement.violated(leaseId, `Its workflow ended at ${time(closedAt)} as ${status}, without an outcome.`);
  } else if (state === 'abandoned' && !wasAsked('abandon')) {
    judgement.violated(leaseId, `Its removal was given up at ${time(closedAt)}, and nobody had asked for that.`);
  }
}

/** Removal that has begun is not to take long once everything is up again. */
function judgeRecovery({ trace }: Evidence, run: LeaseRun, judgement: Judgement): void {
  const { leaseId, status, closedAt, deprovisionScheduledAt } = run;
  if (deprovisionScheduledAt === null || status !== 'COMPLETED' || closedAt === null) return;
  const from = Math.max(deprovisionScheduledAt, trace.healedAt);
  if (closedAt <= from + RECOVERS_WITHIN_MS) return;
  judgement.violated(
    leaseId,
    `It ended at ${time(closedAt)}, ${seconds(closedAt - from)} after ${time(from)}, when its removal had begun and everything was up.`,
  );
}

function judgeAlerts({ trace, leases }: Evidence, judgement: Judgement): void {
  const runs = [...leases.values()].flatMap((lease) => lease.runs);
  for (const integration of new Set(runs.map((run) => run.integration))) {
    if (integration === null) continue;
    const stuck = runs.filter((run) => run.integration === integration && run.stuckAt !== null);
    const alerts = trace.alerts.filter((alert) => alert.integration === integration && alert.event === 'stuck');
    const troubles = new Set(
      trace.audit
        .filter(({ line }) => line.event === 'incident_opened' && line.integration === integration)
        .map(({ line }) => line.id),
    ).size;
    judgement.look();
    if (alerts.length > ALERTS_PER_TROUBLE * Math.max(1, troubles)) {
      judgement.violated(
        null,
        `People were told ${alerts.length} times that leases of ${integration} were stuck, in ${troubles} troubles of ${stuck.length} leases.`,
      );
    }
    const long = stuck.find((run) => (run.closedAt ?? Infinity) - (run.stuckAt ?? 0) > NOTICED_WITHIN_MS);
    if (long !== undefined && alerts.length === 0) {
      judgement.violated(
        long.leaseId,
        `It was stuck from ${time(long.stuckAt ?? 0)} to ${time(long.closedAt ?? Infinity)}, and nobody was told of ${integration}.`,
      );
    }
  }
}
