import { ROUNDING_MS, time } from '../instants';
import type { SeenLease } from '../seen-leases';
import type { Terms } from '../terms';
import { identitiesOf, shownBy } from '../identities';
import type { DeedSeen } from '../trace';
import { judge } from './rule';
import type { Evidence, Judgement, Verdict } from './rule';

/** P2: a delivered credential is there, is the same and works, until an end that was asked for or its expiry. */
export function neverEarly(evidence: Evidence): Verdict {
  const judgement = judge('P2');
  for (const [leaseId, terms] of evidence.terms) {
    const lease = evidence.leases.get(leaseId);
    if (lease === undefined) continue;
    judgeSchedule(lease, terms, judgement);
    judgeDeeds(lease, terms, judgement);
    judgeUses(lease, terms, judgement);
  }
  judgeSnapshots(evidence, judgement);
  return judgement.verdict();
}

function judgeSchedule({ leaseId }: SeenLease, { run, mayEndFrom, because }: Terms, judgement: Judgement): void {
  const scheduledAt = run?.deprovisionScheduledAt ?? null;
  if (scheduledAt === null) return;
  judgement.look();
  if (scheduledAt + ROUNDING_MS >= mayEndFrom) return;
  judgement.violated(
    leaseId,
    `Its removal was scheduled at ${time(scheduledAt)}, before ${time(mayEndFrom)}: ${because}.`,
  );
}

/** From the moment on at which a credential was made that was delivered, nothing that can be signed in with changes. */
function judgeDeeds({ leaseId, deeds }: SeenLease, terms: Terms, judgement: Judgement): void {
  const { run, delivery, mayEndFrom, because } = terms;
  const from = Math.min(run?.provisionedAt ?? Infinity, delivery.answeredAt);
  for (const { operation, effect, at, done } of deeds) {
    if (!spoils(effect, operation) || !done || at <= from + ROUNDING_MS || at + ROUNDING_MS >= mayEndFrom) continue;
    judgement.violated(
      leaseId,
      `${operation} was done at ${time(at)}, after it had been issued at ${time(from)} and before ${time(mayEndFrom)}: ${because}.`,
    );
  }
}

/** What has another password, may not log in, or has lost its rights is of no use either. */
function spoils(effect: DeedSeen['effect'], operation: string): boolean {
  return effect !== 'other' || SPOILS.test(operation);
}

const SPOILS = /^(SetPassword|DisableRole|DropOwned|EndSessions|EndPrepared|UpdateAccessKey|Delete|Detach|Remove)/;

/** The provider did not answer at all, which says nothing of the credential. */
const NO_ANSWER = 'unreachable';

function judgeUses({ leaseId, uses }: SeenLease, { delivery, mayEndFrom, because }: Terms, judgement: Judgement): void {
  for (const { startedAt, endedAt, answer } of uses) {
    if (startedAt < delivery.answeredAt || endedAt + ROUNDING_MS >= mayEndFrom || answer === NO_ANSWER) continue;
    judgement.look();
    if (answer === 'ok') continue;
    judgement.violated(
      leaseId,
      `Its credential was refused (${answer}) between ${time(startedAt)} and ${time(endedAt)}, before ${time(mayEndFrom)}: ${because}.`,
    );
    return;
  }
}

/** A delivered lease is looked for in those snapshots alone that fall into its life. */
function judgeSnapshots({ trace, leases, terms }: Evidence, judgement: Judgement): void {
  const { snapshots } = trace;
  for (const [leaseId, { delivery, mayEndFrom, because }] of terms) {
    const shown = leases.get(leaseId)?.shown;
    const identity = identitiesOf(delivery.outcome.identity);
    for (let index = firstFrom(snapshots, delivery.answeredAt); index < snapshots.length; index += 1) {
      const { startedAt, endedAt } = snapshots[index]!;
      if (endedAt + ROUNDING_MS >= mayEndFrom) break;
      judgement.look();
      const held = shownBy(shown?.get(index) ?? []);
      if (identity.every((each) => held.includes(each))) continue;
      judgement.violated(
        leaseId,
        `Its credential ${delivery.outcome.identity} was gone between ${time(startedAt)} and ${time(endedAt)}, before ${time(mayEndFrom)}: ${because}.`,
      );
      break;
    }
  }
}

/** Index of the first snapshot that was begun then or later. */
function firstFrom(snapshots: readonly { readonly startedAt: number }[], instant: number): number {
  let low = 0;
  for (let high = snapshots.length; low < high;) {
    const middle = (low + high) >> 1;
    if (snapshots[middle]!.startedAt < instant) low = middle + 1;
    else high = middle;
  }
  return low;
}
