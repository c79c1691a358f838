import { concerns, disturbed, providerOf } from '../disturbances';
import { seconds, time } from '../instants';
import { removalsOf } from '../removals';
import type { FaultSeen, IssueSeen } from '../trace';
import { judge } from './rule';
import type { Evidence, Judgement, Verdict } from './rule';

/** What a busy machine needs at most where nothing is wrong. */
const UNDISTURBED_MS = 15_000;

/** P6: while one provider is in trouble, and nothing else is, leases of the others are issued and removed without delay. */
export function bulkheads(evidence: Evidence): Verdict {
  const judgement = judge('P6');
  const troubles = evidence.trace.faults.filter(({ fault }) => providerOf(fault) !== null);
  for (const issue of evidence.trace.issues) judgeIssue(evidence, troubles, issue, judgement);
  for (const removal of removalsOf(evidence.leases.values())) {
    const { leaseId, integration, by, dueAt, goneAt } = removal;
    const until = Math.min(goneAt, dueAt + UNDISTURBED_MS);
    const trouble = by === 'sweep' ? undefined : troubleOfOthers(evidence, troubles, integration, dueAt, until);
    if (trouble === undefined) continue;
    judgement.look();
    if (goneAt - dueAt <= UNDISTURBED_MS) continue;
    judgement.violated(
      leaseId,
      `It was due at ${time(dueAt)} and removed only ${seconds(goneAt - dueAt)} later, and the only fault near it was ${tell(trouble)}.`,
    );
  }
  return judgement.verdict();
}

/** Refusals that tell of no trouble: the caller's own doing, or an admin's. */
const IN_ORDER = ['Aborted', 'Blocked', 'InvalidTtl', 'LeaseEnded', 'AlreadyIssued'];

function judgeIssue(evidence: Evidence, troubles: readonly FaultSeen[], issue: IssueSeen, judgement: Judgement): void {
  const { integration, askedAt, answeredAt, outcome } = issue;
  const trouble = troubleOfOthers(
    evidence,
    troubles,
    integration,
    askedAt,
    Math.min(answeredAt, askedAt + UNDISTURBED_MS),
  );
  if (trouble === undefined) return;
  judgement.look();
  const took = answeredAt - askedAt;
  const isRefused = outcome.is === 'refused' && !IN_ORDER.includes(outcome.code);
  if (!isRefused && took <= UNDISTURBED_MS) return;
  const how = outcome.is === 'refused' ? `refused (${outcome.code})` : 'answered';
  judgement.violated(
    outcome.leaseId,
    `An issue of ${integration} was ${how} ${seconds(took)} after ${time(askedAt)}, and the only fault near it was ${tell(trouble)}.`,
  );
}

/** A fault of another provider that lasted then, if no other was felt. */
function troubleOfOthers(
  { trace }: Evidence,
  troubles: readonly FaultSeen[],
  integration: string,
  from: number,
  to: number,
): FaultSeen | undefined {
  const trouble = troubles.find((each) => !concerns(each, integration) && each.from <= from && each.to >= from);
  if (trouble === undefined || disturbed(trace, integration, from, to)) return undefined;
  return trouble;
}

function tell({ fault, from, to }: FaultSeen): string {
  return `${fault.do} of ${providerOf(fault) ?? 'nobody'} from ${time(from)} to ${time(to)}`;
}
