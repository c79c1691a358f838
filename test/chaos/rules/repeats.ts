import { countBy } from '../counts';
import { identitiesOf, shownBy, SIGN_INS } from '../identities';
import { ROUNDING_MS, time } from '../instants';
import type { SeenLease } from '../seen-leases';
import type { Terms } from '../terms';
import type { IssueSeen } from '../trace';
import { judge } from './rule';
import type { Evidence, Judgement, Verdict } from './rule';

/** P5: one idempotency key is one lease and one credential, and however often a lease is ended, it is removed once. */
export function idempotent(evidence: Evidence): Verdict {
  const judgement = judge('P5');
  judgeKeys(evidence, judgement);
  for (const lease of evidence.leases.values()) {
    judgeDeliveries(lease, judgement);
    judgeRemovals(lease, judgement);
    judgeDeeds(lease, judgement);
    const terms = evidence.terms.get(lease.leaseId);
    if (terms !== undefined) judgeShown(evidence, lease, terms, judgement);
  }
  return judgement.verdict();
}

function judgeKeys({ trace }: Evidence, judgement: Judgement): void {
  const byKey = new Map<string, IssueSeen[]>();
  for (const issue of trace.issues) {
    const { idempotencyKey: key } = issue;
    if (key !== null) byKey.set(key, [...(byKey.get(key) ?? []), issue]);
  }
  for (const issues of byKey.values()) {
    judgement.look();
    const leases = new Set(issues.flatMap(({ outcome }) => (outcome.leaseId === null ? [] : [outcome.leaseId])));
    if (leases.size < 2) continue;
    const [first] = leases;
    judgement.violated(first ?? null, `One idempotency key stands for ${[...leases].join(' and ')}.`);
  }
}

/** Who shares a lease has the same credential, unless its workflow was begun anew by force. */
function judgeDeliveries({ leaseId, deliveries, changes }: SeenLease, judgement: Judgement): void {
  const identities = new Set(deliveries.map(({ outcome }) => outcome.identity));
  if (deliveries.length > 1) judgement.look();
  if (identities.size < 2 || changes.some(({ what }) => what === 'reset' || what === 'terminate')) return;
  judgement.violated(
    leaseId,
    `Callers got different credentials of it (${[...identities].join(' and ')}), the last at ${time(deliveries.at(-1)?.answeredAt ?? 0)}.`,
  );
}

/** A nudge begins a removal that waits anew; nothing else does, however often the end is asked for. */
function judgeRemovals({ leaseId, runs }: SeenLease, judgement: Judgement): void {
  for (const { runId, removals, nudges, deprovisionScheduledAt } of runs) {
    if (removals > 0) judgement.look();
    if (removals <= 1 + nudges) continue;
    judgement.violated(
      leaseId,
      `Its run ${runId} began its removal ${removals} times from ${time(deprovisionScheduledAt ?? 0)} on, with ${nudges} nudges.`,
    );
  }
}

/** The provider itself tells the second removal of a thing from the first, which it was asked for before. */
function judgeDeeds({ leaseId, deeds }: SeenLease, judgement: Judgement): void {
  const removed = countBy(
    deeds.filter(({ effect, done }) => effect === 'removes' && done),
    ({ operation }) => operation,
  );
  for (const [operation, times] of removed) {
    judgement.look();
    const makes = operation.replace(/^(Delete|Drop)/, 'Create');
    const made = deeds.filter((deed) => deed.operation === makes && deed.done).length;
    if (times <= made) continue;
    judgement.violated(leaseId, `${operation} was done ${times} times, and ${makes} ${made} times.`);
  }
}

/** While a delivered lease lives there is one entity of it, with no more to sign in with than was delivered. */
function judgeShown({ trace }: Evidence, lease: SeenLease, terms: Terms, judgement: Judgement): void {
  const { delivery, mayEndFrom } = terms;
  const delivered = identitiesOf(delivery.outcome.identity);
  const most = Math.max(delivered.length, SIGN_INS[delivery.integration]);
  for (const [index, entities] of lease.shown) {
    const { startedAt, endedAt } = trace.snapshots[index]!;
    if (startedAt < delivery.answeredAt || endedAt + ROUNDING_MS >= mayEndFrom) continue;
    judgement.look();
    const shown = shownBy(entities);
    const names = new Set(entities.map(({ name }) => name));
    if (shown.length <= most && names.size === 1) continue;
    judgement.violated(
      lease.leaseId,
      `At ${time(startedAt)} there was more of it than ${delivery.outcome.identity}: ${[...shown, ...names].join(', ')}.`,
    );
    return;
  }
}
