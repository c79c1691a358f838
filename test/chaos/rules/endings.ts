import { ableMs, calmMs, concerns, providerOf } from '../disturbances';
import { seconds, time } from '../instants';
import { removalsOf } from '../removals';
import type { Removal } from '../removals';
import type { SeenLease } from '../seen-leases';
import type { ChangeSeen, LeaseRun, Trace } from '../trace';
import { judge } from './rule';
import type { Evidence, Judgement, Verdict } from './rule';

/** What a removal, and the end of its lease, may take beside the time in which a fault was felt. */
const REMOVED_WITHIN_MS = 20_000;
/** What it may take while its provider and Temporal are there, however often workers are killed and stopped meanwhile. */
const ABLE_WITHIN_MS = 40_000;
/** The same for the sweep, which looks every ten seconds and is sure only at its second look. */
const SWEPT_WITHIN_MS = 40_000;
/** Nobody overlooks trouble that lasts for so long. */
const NOTICED_WITHIN_MS = 60_000;
/** Of one trouble that grows, and of a notice whose receipt was not heard of. */
const ALERTS_PER_TROUBLE = 4;
/** From a notice to its receipt. */
const RECEIPT_MS = 1_500;

/** P3: every lease ends by itself, soon after recovery; nothing is given up unasked, and people are told of trouble once. */
export function neverGivenUp(evidence: Evidence): Verdict {
  const judgement = judge('P3');
  for (const lease of evidence.leases.values()) {
    for (const run of lease.runs) {
      judgement.look();
      judgeEnd(lease, run, judgement);
    }
  }
  for (const removal of removalsOf(evidence.leases.values())) judgeRemoval(evidence.trace, removal, judgement);
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

/** What cannot be done for a while is done soon afterwards. */
function judgeRemoval(trace: Trace, removal: Removal, judgement: Judgement): void {
  const { leaseId, integration, by, dueAt, goneAt, toldAt } = removal;
  judgement.look();
  const calm = calmMs(trace, integration, dueAt, toldAt, by === 'revoke' ? 'api' : 'worker');
  const able = ableMs(trace, integration, dueAt, toldAt);
  const isLate = by === 'sweep' ? calm > SWEPT_WITHIN_MS : calm > REMOVED_WITHIN_MS || able > ABLE_WITHIN_MS;
  if (!isLate && !(by === 'sweep' && able > ABLE_WITHIN_MS + SWEPT_WITHIN_MS)) return;
  judgement.violated(
    leaseId,
    `Its removal was due at ${time(dueAt)}, done ${seconds(goneAt - dueAt)} and told ${seconds(toldAt - dueAt)} later; for ${seconds(calm)} of that no fault was felt, and for ${seconds(able)} its provider and Temporal were there.`,
  );
}

/** A trouble of an integration, as the audit log tells of it. */
interface Trouble {
  readonly openedAt: number;
  readonly integration: string;
  /** How often people are said to have been told. */
  alerts: number;
  isOver: boolean;
}

function troublesOf({ audit }: Trace): readonly Trouble[] {
  const troubles = new Map<string, Trouble>();
  for (const { line } of audit) {
    const { event, integration, details } = line;
    if ((event !== 'incident_opened' && event !== 'incident_closed') || integration === null) continue;
    const key = `${integration}/${String(details['openedAt'])}`;
    const trouble = troubles.get(key) ?? {
      openedAt: Date.parse(String(details['openedAt'])),
      integration,
      alerts: 1,
      isOver: false,
    };
    troubles.set(key, trouble);
    if (event === 'incident_opened') continue;
    trouble.isOver = true;
    trouble.alerts = Number(details['alerts']);
  }
  return [...troubles.values()].toSorted((one, other) => one.openedAt - other.openedAt);
}

/** Whether a worker or Temporal was gone when the receipt of a notice was due. */
function isCutOff({ faults }: Trace, at: number): boolean {
  return faults.some(
    (each) =>
      providerOf(each.fault) === null &&
      concerns(each, '', 'worker') &&
      each.from <= at + RECEIPT_MS &&
      each.to >= at - RECEIPT_MS,
  );
}

/** People are told of each trouble, as often as is said and of its end too. Again only where a fault may have kept the receipt back. */
function judgeAlerts({ trace, leases }: Evidence, judgement: Judgement): void {
  const runs = [...leases.values()].flatMap((lease) => lease.runs);
  const troubles = troublesOf(trace);
  for (const integration of new Set(runs.map((run) => run.integration))) {
    if (integration === null) continue;
    judgement.look();
    const own = troubles.filter((trouble) => trouble.integration === integration);
    const received = (event: string): readonly number[] =>
      trace.alerts.filter((alert) => alert.integration === integration && alert.event === event).map(({ at }) => at);
    const [stuck, recovered] = [received('stuck'), received('recovered')];
    const told = own.reduce((sum, { alerts }) => sum + alerts, 0);
    const over = own.filter(({ isOver, alerts }) => isOver && alerts > 0).length;
    if (stuck.length < told || recovered.length < over) {
      judgement.violated(
        null,
        `Of ${own.length} troubles of ${integration} people are said to have been told ${told} times, and of the end of ${over}; they were told ${stuck.length} and ${recovered.length} times.`,
      );
    }
    const repeats = own.filter(({ openedAt }, index) => {
      const next = own[index + 1]?.openedAt ?? Infinity;
      return stuck.some((at) => at >= openedAt && at < next && isCutOff(trace, at));
    }).length;
    if (stuck.length > told + repeats || stuck.length > ALERTS_PER_TROUBLE * Math.max(1, own.length)) {
      judgement.violated(
        null,
        `People were told ${stuck.length} times that leases of ${integration} were stuck, in ${own.length} troubles.`,
      );
    }
    const long = runs.find(
      (run) =>
        run.integration === integration &&
        run.stuckAt !== null &&
        (run.closedAt ?? Infinity) - run.stuckAt > NOTICED_WITHIN_MS,
    );
    if (long !== undefined && stuck.length === 0) {
      judgement.violated(
        long.leaseId,
        `It was stuck from ${time(long.stuckAt ?? 0)} to ${time(long.closedAt ?? Infinity)}, and nobody was told of ${integration}.`,
      );
    }
  }
}
