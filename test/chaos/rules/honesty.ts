import { ROUNDING_MS, time } from '../instants';
import type { SeenLease } from '../seen-leases';
import { ENDS } from '../terms';
import type { Terms } from '../terms';
import type { DeedSeen, LeaseRun } from '../trace';
import { judge } from './rule';
import type { Evidence, Judgement, Verdict } from './rule';

/** No dynamic secret of the world allows more. */
const LONGEST_TTL_MS = 120_000;
/** As the world configures it. */
const ISSUE_TIMEOUT_MS = 20_000;

/** P8: what was said of an end, of an expiry and of a TTL is so. */
export function honest(evidence: Evidence): Verdict {
  const judgement = judge('P8');
  judgeTooLong(evidence, judgement);
  for (const lease of evidence.leases.values()) {
    judgeEnded(evidence, lease, judgement);
    judgeGone(lease, judgement);
    judgeReason(lease, judgement);
    judgeUses(lease, judgement);
    const terms = evidence.terms.get(lease.leaseId);
    judgeTtls(lease, terms?.run ?? null, judgement);
    if (terms !== undefined) judgeExpiry(lease, terms, judgement);
  }
  return judgement.verdict();
}

/** Who waited for a revoke and was told that the lease has ended. */
function judgeEnded({ trace }: Evidence, lease: SeenLease, judgement: Judgement): void {
  for (const { what, answeredAt, askedAt, state } of lease.changes) {
    if (what !== 'revoke' || state === null || state === 'accepted' || state === 'abandoned') continue;
    if (lease.changes.some((change) => change.what === 'reset' || change.what === 'terminate')) continue;
    if (lease.runs.some(({ startedAt }) => startedAt > askedAt)) continue;
    judgement.look();
    const late = lease.deeds.find(
      ({ effect, done, at }) => effect === 'removes' && done && at > answeredAt + ROUNDING_MS,
    );
    if (late !== undefined) {
      judgement.violated(
        lease.leaseId,
        `A caller was told at ${time(answeredAt)} that it was ${state}, and ${late.operation} was done at ${time(late.at)}.`,
      );
      return;
    }
    const index = [...lease.shown.keys()].find((each) => trace.snapshots[each]!.startedAt > answeredAt + ROUNDING_MS);
    if (index === undefined) continue;
    judgement.violated(
      lease.leaseId,
      `A caller was told at ${time(answeredAt)} that it was ${state}, and at ${time(trace.snapshots[index]!.startedAt)} the provider showed it.`,
    );
    return;
  }
}

/** What a lease has made is removed before it says that it has ended, by what the provider did rather than by when somebody looked. */
function judgeGone({ leaseId, runs, deeds }: SeenLease, judgement: Judgement): void {
  const [run] = runs;
  if (run === undefined || runs.length > 1 || !saysGone(run) || run.closedAt === null) return;
  const closedAt = run.closedAt + ROUNDING_MS;
  const done = (effect: DeedSeen['effect']): readonly DeedSeen[] =>
    deeds.filter((deed) => deed.effect === effect && deed.done);
  const made = done('makes').findLast(({ at }) => at <= closedAt);
  if (made === undefined) return;
  judgement.look();
  const removals = done('removes');
  const late = removals.find(({ at }) => at > closedAt);
  if (late === undefined && removals.some(({ at }) => at >= made.at)) return;
  const what =
    late === undefined ? 'no call was seen that removed it' : `${late.operation} was done at ${time(late.at)}`;
  judgement.violated(leaseId, `It said at ${time(run.closedAt)} that it was ${run.state ?? 'over'}, and ${what}.`);
}

/** Nothing is called revoked that nobody had asked for, and who waited is told what is in history. */
function judgeReason({ leaseId, runs, deliveries, changes }: SeenLease, judgement: Judgement): void {
  for (const { what, state, answeredAt } of changes) {
    if (what !== 'revoke' || state === null || state === 'accepted') continue;
    judgement.look();
    if (runs.some((run) => run.state === state)) continue;
    judgement.violated(
      leaseId,
      `A caller was told at ${time(answeredAt)} that it was ${state}; its workflow says ${runs.map((run) => run.state ?? run.status).join(' and ')}.`,
    );
  }
  if (deliveries.length === 0 || changes.some(({ what }) => ENDS.includes(what))) return;
  const revoked = runs.find(({ state }) => state === 'revoked');
  if (revoked === undefined) return;
  judgement.violated(
    leaseId,
    `It says that ${revoked.endedBy ?? 'somebody'} revoked it, and nobody had asked for that.`,
  );
}

/** A credential does not work after its workflow has told its end. */
function judgeUses({ leaseId, uses, runs }: SeenLease, judgement: Judgement): void {
  const [run] = runs;
  if (run === undefined || runs.length > 1 || !saysGone(run)) return;
  const { closedAt, state } = run;
  if (closedAt === null) return;
  for (const { startedAt, answer } of uses) {
    if (startedAt <= closedAt + ROUNDING_MS) continue;
    judgement.look();
    if (answer !== 'ok') continue;
    judgement.violated(
      leaseId,
      `Its credential still worked at ${time(startedAt)}, after its workflow had said at ${time(closedAt)} that it was ${state ?? 'over'}.`,
    );
    return;
  }
}

function saysGone({ status, state }: LeaseRun): boolean {
  return status === 'COMPLETED' && state !== 'abandoned';
}

/** A TTL that is too long is refused before anything is planned. */
function judgeTooLong({ trace, leases }: Evidence, judgement: Judgement): void {
  for (const { outcome, ttlMs, answeredAt } of trace.issues) {
    if (ttlMs <= LONGEST_TTL_MS) continue;
    judgement.look();
    const runs = outcome.leaseId === null ? [] : (leases.get(outcome.leaseId)?.runs ?? []);
    if (outcome.is === 'refused' && runs.every(({ plannedAt }) => plannedAt === null)) continue;
    judgement.violated(
      outcome.leaseId,
      `A TTL of ${ttlMs} ms was not refused at ${time(answeredAt)}, though ${LONGEST_TTL_MS} ms are the most.`,
    );
  }
}

/**
 * A TTL is what was asked for, counted from when the credential was made, but no later than from when making it had to be over, which
 * is counted from the request: a provision that needs all of its time ends a little after that.
 */
function judgeTtls(
  { leaseId, issues, deliveries, changes }: SeenLease,
  run: LeaseRun | null,
  judgement: Judgement,
): void {
  const madeAt =
    run?.provisionedAt == null
      ? Math.min(...issues.map(({ askedAt }) => askedAt))
      : Math.min(run.provisionedAt, run.startedAt + ISSUE_TIMEOUT_MS);
  for (const { outcome, ttlMs, answeredAt } of deliveries) {
    // Who joins later is told the expiry that was moved meanwhile.
    if (changes.some(({ askedAt }) => askedAt < answeredAt)) continue;
    judgement.look();
    const { expiresAt } = outcome;
    const [earliest, latest] = [madeAt + ttlMs, answeredAt + ttlMs];
    if (expiresAt + ROUNDING_MS >= earliest && expiresAt - ROUNDING_MS <= latest) continue;
    judgement.violated(
      leaseId,
      `It was issued until ${time(expiresAt)}; with the TTL that was asked for it is to end from ${time(earliest)} to ${time(latest)}.`,
    );
  }
}

/** The expiry that was answered last is the one in force. */
function judgeExpiry({ leaseId, changes }: SeenLease, { run, certainExpiry }: Terms, judgement: Judgement): void {
  const inForce = run?.expiresAt ?? null;
  if (certainExpiry === null || inForce === null) return;
  if (changes.some(({ what }) => what === 'reset' || what === 'terminate')) return;
  judgement.look();
  if (Math.abs(inForce - certainExpiry) <= ROUNDING_MS) return;
  judgement.violated(
    leaseId,
    `Its holder was told that it ends at ${time(certainExpiry)}; in force was ${time(inForce)}.`,
  );
}
