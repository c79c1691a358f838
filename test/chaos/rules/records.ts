import type { AuditEvent, AuditLine } from '../../../audit/line';
import { time } from '../instants';
import type { SeenLease } from '../seen-leases';
import type { LeaseRun } from '../trace';
import { judge } from './rule';
import type { Evidence, Judgement, Verdict } from './rule';

const ENDS: readonly AuditEvent[] = ['expired', 'revoked', 'failed', 'denied', 'abandoned'];
/** What the sweep writes tells what it saw when it wrote, which may be something else at the next attempt. */
const MAY_DIFFER: readonly AuditEvent[] = ['swept', 'late'];

/** The audit log tells of each lease how it was issued and how it ended, in whole lines, the same each time. */
export function recorded(evidence: Evidence): Verdict {
  const judgement = judge('audit');
  for (const where of evidence.trace.cutLines) judgement.violated(null, where);
  judgeRepeats(evidence, judgement);
  for (const lease of evidence.leases.values()) {
    const ids = new Set(lease.lines.map(({ id }) => id));
    for (const run of lease.runs) judgeEnd(run, ids, judgement);
    judgeDelivery(evidence, lease, ids, judgement);
    judgeSweep(evidence, lease, judgement);
    judgeOnce(lease, judgement);
    judgeMoves(lease, judgement);
    judgeHolder(lease, judgement);
  }
  return judgement.verdict();
}

function judgeRepeats({ trace }: Evidence, judgement: Judgement): void {
  const known = new Map<string, string>();
  const told = new Set<string>();
  for (const { line, file } of trace.audit) {
    judgement.look();
    if (MAY_DIFFER.includes(line.event)) continue;
    const content = contentOf(line);
    const before = known.get(line.id);
    if (before === undefined) known.set(line.id, content);
    if (before === undefined || before === content || told.has(line.id)) continue;
    told.add(line.id);
    judgement.violated(line.leaseId, `Two lines with the id ${line.id} say different things, one of them in ${file}.`);
  }
}

/** A workflow task that was lost after its line had been written is computed again, at another time. */
function contentOf({ details, ...line }: AuditLine): string {
  return JSON.stringify({ ...line, time: null, details: { ...details, expiresAt: null, lagMs: null } });
}

/**
 * Of a run that ended by itself there is the line of its end, and of no other; but a denial, which is decided and told in one task,
 * may have been lost with that task, and the next one decided otherwise.
 */
function judgeEnd(run: LeaseRun, ids: ReadonlySet<string>, judgement: Judgement): void {
  const { leaseId, runId, status, state, closedAt, plannedAt } = run;
  if (status !== 'COMPLETED' || state === null || closedAt === null) return;
  judgement.look();
  const end = state === 'failed' && plannedAt === null ? 'denied' : state;
  const told = ENDS.filter((event) => ids.has(`${leaseId}/${runId}/${event}`)).filter(
    (event) => event !== 'denied' || end === 'denied',
  );
  if (told.length === 1 && told[0] === end) return;
  const said = told.length === 0 ? 'does not tell' : `tells ${told.join(' and ')}`;
  judgement.violated(leaseId, `It ended at ${time(closedAt)} as ${end}, and the audit log ${said} of run ${runId}.`);
}

function judgeDelivery({ terms }: Evidence, lease: SeenLease, ids: ReadonlySet<string>, judgement: Judgement): void {
  const { leaseId, deliveries, changes, lines } = lease;
  const [delivery] = deliveries;
  if (delivery === undefined) return;
  judgement.look();
  const runId = terms.get(leaseId)?.run?.runId ?? null;
  const at = time(delivery.answeredAt);
  if (runId !== null && !ids.has(`${leaseId}/${runId}/issued`)) {
    judgement.violated(leaseId, `Its credential was handed over at ${at}, and no line says that it was issued.`);
  }
  const issued = lines.filter(({ event }) => event === 'issued').map(({ details }) => details['expiresAt']);
  const expiresAt = new Date(delivery.outcome.expiresAt).toISOString();
  const isMoved = changes.some(({ askedAt }) => askedAt < delivery.answeredAt);
  if (issued.length > 0 && !isMoved && !issued.includes(expiresAt)) {
    judgement.violated(
      leaseId,
      `Its credential was handed over at ${at} until ${expiresAt}, and the audit log tells only of ${issued.join(' and ')}.`,
    );
  }
  const told = lines.filter(({ event }) => event === 'delivered').length;
  if (told < deliveries.length) {
    judgement.violated(
      leaseId,
      `Its credential was handed over ${deliveries.length} times, first at ${at}, and the audit log tells of ${told}.`,
    );
  }
}

/** However often a lease is ended, each of its runs tells of it once. */
function judgeOnce({ leaseId, lines, runs }: SeenLease, judgement: Judgement): void {
  for (const event of ['issued', ...ENDS] as const) {
    const ids = new Set(lines.filter((line) => line.event === event).map(({ id }) => id));
    if (ids.size <= runs.length) continue;
    judgement.violated(leaseId, `It is told ${ids.size} times that it was ${event}, of ${runs.length} runs.`);
  }
}

/** A line that could not be written when the end overtook its extension is written at the end, and lost with a lease that is terminated. */
function judgeMoves({ leaseId, lines, changes, runs }: SeenLease, judgement: Judgement): void {
  const lost = runs
    .filter(({ status }) => status === 'TERMINATED')
    .map((run) => run.deprovisionScheduledAt ?? Infinity);
  const moves = changes.filter(
    ({ what, answer, answeredAt }) =>
      (what === 'extend' || what === 'shorten') && answer === 'ok' && lost.every((endedFrom) => answeredAt < endedFrom),
  );
  if (moves.length === 0) return;
  judgement.look();
  const told = new Set(lines.filter(({ event }) => event === 'extended').map(({ id }) => id)).size;
  if (told >= moves.length) return;
  judgement.violated(leaseId, `Its expiry was moved ${moves.length} times, and the audit log tells of ${told}.`);
}

/** The sweep does not know whose it was. */
function judgeHolder({ leaseId, lines, issues }: SeenLease, judgement: Judgement): void {
  const [issue] = issues;
  const other = lines.find(({ holder }) => holder !== null && issue !== undefined && holder !== issue.holder);
  if (issue === undefined || other === undefined) return;
  judgement.violated(leaseId, `${issue.holder} leased it, and a line tells of ${other.holder ?? 'nobody'}.`);
}

/** What a lease that was ended by force had left behind does not go without a line of the sweep. */
function judgeSweep({ trace }: Evidence, lease: SeenLease, judgement: Judgement): void {
  const { leaseId, runs, shown, lines, deeds } = lease;
  const [run] = runs;
  if (run === undefined || runs.length > 1 || run.status !== 'TERMINATED' || run.closedAt === null) return;
  // An attempt of its own removal may have been under way.
  if (run.deprovisionScheduledAt !== null) return;
  const closedAt = run.closedAt;
  const left = deeds.find(({ effect, done, at }) => effect === 'removes' && done && at > closedAt);
  // What is still there at the end was swept by nobody, which is another promise's business.
  if (left === undefined || shown.has(trace.snapshots.length - 1)) return;
  judgement.look();
  if (lines.some(({ event }) => MAY_DIFFER.includes(event))) return;
  judgement.violated(
    leaseId,
    `It was terminated at ${time(closedAt)}, its entity was removed at ${time(left.at)}, and no line tells of its sweep.`,
  );
}
