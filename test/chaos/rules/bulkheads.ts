import { calmMs, concerns, providerOf } from '../disturbances';
import { seconds, time } from '../instants';
import { removalsOf } from '../removals';
import type { ChangeSeen, FaultSeen, IssueSeen, Trace } from '../trace';
import { judge } from './rule';
import type { Evidence, Judgement, Verdict } from './rule';

/** What a busy machine needs at most where nothing is wrong, beside the time in which another fault was felt. */
const UNDISTURBED_MS = 15_000;

/** P6: while one provider is in trouble, leases of the others are issued and removed without delay, as far as nothing else delays them. */
export function bulkheads(evidence: Evidence): Verdict {
  const judgement = judge('P6');
  const troubles = evidence.trace.faults.filter(({ fault }) => providerOf(fault) !== null);
  for (const issue of evidence.trace.issues) judgeIssue(evidence, troubles, issue, judgement);
  for (const { leaseId, integration, by, dueAt, goneAt } of removalsOf(evidence.leases.values())) {
    if (by === 'sweep') continue;
    const trouble = troubleOfOthers(troubles, integration, dueAt);
    const calm = calmMs(evidence.trace, integration, dueAt, goneAt, by === 'revoke' ? 'api' : 'worker');
    if (trouble === undefined || calm === 0) continue;
    judgement.look();
    if (calm <= UNDISTURBED_MS) continue;
    judgement.violated(
      leaseId,
      `It was due at ${time(dueAt)} and removed ${seconds(goneAt - dueAt)} later, and for ${seconds(calm)} of that no other fault was felt than ${tell(trouble)}.`,
    );
  }
  return judgement.verdict();
}

/** Refusals that tell of no trouble: the caller's own doing, or an admin's. */
const IN_ORDER = ['hung-up', 'Blocked', 'InvalidTtl', 'LeaseEnded', 'AlreadyIssued'];

function judgeIssue({ trace }: Evidence, troubles: readonly FaultSeen[], issue: IssueSeen, judgement: Judgement): void {
  const { integration, askedAt, answeredAt, outcome } = issue;
  const trouble = troubleOfOthers(troubles, integration, askedAt);
  const calm = calmMs(trace, integration, askedAt, answeredAt, 'api');
  if (trouble === undefined || calm === 0) return;
  judgement.look();
  const took = answeredAt - askedAt;
  const isRefused = outcome.is === 'refused' && !IN_ORDER.includes(outcome.code) && !wasEnded(trace, issue);
  if (calm <= UNDISTURBED_MS && !(isRefused && calm === took)) return;
  const how = outcome.is === 'refused' ? `refused (${outcome.code})` : 'answered';
  judgement.violated(
    outcome.leaseId,
    `An issue of ${integration} was ${how} ${seconds(took)} after ${time(askedAt)}, and for ${seconds(calm)} of that no other fault was felt than ${tell(trouble)}.`,
  );
}

const EXTENDS: readonly ChangeSeen['what'][] = ['extend', 'shorten'];

/** Whether somebody else ended the lease, or reset it, while its caller waited for it. */
function wasEnded({ changes }: Trace, { askedAt, answeredAt, outcome: { leaseId } }: IssueSeen): boolean {
  if (leaseId === null) return false;
  return changes.some(
    (change) =>
      !EXTENDS.includes(change.what) &&
      change.leaseIds.includes(leaseId) &&
      change.askedAt <= answeredAt &&
      change.answeredAt >= askedAt,
  );
}

/** A fault of another provider that lasted then. */
function troubleOfOthers(troubles: readonly FaultSeen[], integration: string, at: number): FaultSeen | undefined {
  return troubles.find((each) => !concerns(each, integration) && each.from <= at && each.to >= at);
}

function tell({ fault, from, to }: FaultSeen): string {
  return `${fault.do} of ${providerOf(fault) ?? 'nobody'} from ${time(from)} to ${time(to)}`;
}
