import type { AuditLine } from '../../audit/line';
import type { IntegrationName } from './plan-types';
import type { ChangeSeen, DeedSeen, EntitySeen, IssueSeen, LeaseRun, Trace, UseSeen } from './trace';

export type Delivery = IssueSeen & { readonly outcome: { readonly is: 'delivered' } };

/** All that was seen of one lease. Everything is in order of time. */
export interface SeenLease {
  readonly leaseId: string;
  readonly integration: IntegrationName | null;
  readonly issues: readonly IssueSeen[];
  /** Those calls that got its credential. */
  readonly deliveries: readonly Delivery[];
  readonly changes: readonly ChangeSeen[];
  readonly uses: readonly UseSeen[];
  readonly deeds: readonly DeedSeen[];
  readonly runs: readonly LeaseRun[];
  readonly lines: readonly AuditLine[];
  /** What snapshots show of it, by their indices. */
  readonly shown: ReadonlyMap<number, readonly EntitySeen[]>;
}

/** A run, sorted by leases once, so that no rule goes through all of it for each of them. */
export interface SeenRun {
  readonly trace: Trace;
  readonly leases: ReadonlyMap<string, SeenLease>;
}

type Listed = Omit<SeenLease, 'shown'>;
type Growing = {
  -readonly [Field in keyof Listed]: Listed[Field] extends readonly (infer Each)[] ? Each[] : Listed[Field];
} & { readonly shown: Map<number, EntitySeen[]> };

export function sortByLease(trace: Trace): SeenRun {
  const leases = new Map<string, Growing>();
  const of = (leaseId: string): Growing => {
    const known = leases.get(leaseId);
    if (known !== undefined) return known;
    const lease = begin(leaseId);
    leases.set(leaseId, lease);
    return lease;
  };

  for (const issue of trace.issues) {
    const { leaseId } = issue.outcome;
    if (leaseId === null) continue;
    const lease = of(leaseId);
    lease.integration ??= issue.integration;
    lease.issues.push(issue);
    if (isDelivery(issue)) lease.deliveries.push(issue);
  }
  for (const run of trace.runs) {
    const lease = of(run.leaseId);
    lease.runs.push(run);
    lease.integration ??= run.integration as IntegrationName | null;
  }
  for (const deed of trace.deeds) {
    if (deed.leaseId !== null) of(deed.leaseId).deeds.push(deed);
  }
  for (const use of trace.uses) of(use.leaseId).uses.push(use);
  for (const { line } of trace.audit) {
    if (line.leaseId !== null) of(line.leaseId).lines.push(line);
  }
  trace.snapshots.forEach(({ entities }, index) => {
    for (const entity of entities) {
      if (entity.leaseId === null) continue;
      const { shown } = of(entity.leaseId);
      const before = shown.get(index);
      if (before === undefined) shown.set(index, [entity]);
      else before.push(entity);
    }
  });
  giveChanges(trace, leases, of);
  for (const lease of leases.values()) {
    lease.issues.sort((one, other) => one.answeredAt - other.answeredAt);
    lease.deliveries.sort((one, other) => one.answeredAt - other.answeredAt);
    lease.changes.sort((one, other) => one.askedAt - other.askedAt);
    lease.deeds.sort((one, other) => one.at - other.at);
    lease.runs.sort((one, other) => begunAt(one) - begunAt(other));
  }
  return { trace, leases };
}

function begin(leaseId: string): Growing {
  return {
    leaseId,
    integration: null,
    issues: [],
    deliveries: [],
    changes: [],
    uses: [],
    deeds: [],
    runs: [],
    lines: [],
    shown: new Map(),
  };
}

/** A run that was made by a reset begins, on paper, when the one before it did. */
function begunAt(run: LeaseRun): number {
  return run.plannedAt ?? run.startedAt;
}

function isDelivery(issue: IssueSeen): issue is Delivery {
  return issue.outcome.is === 'delivered';
}

/** A bulk revoke concerns all that is asked for until its block keeps them out, which needs a worker. */
const KEEPS_OUT_WITHIN_MS = 60_000;
/** Who asks for bulk revokes, and for no other end of a lease. */
const ADMIN = 'token:admin';

/** Whom a bulk revoke ended beyond those that were known when it was asked for: its filter means them, and they say so. */
function giveChanges({ changes }: Trace, leases: ReadonlyMap<string, Growing>, of: (leaseId: string) => Growing): void {
  for (const change of changes) {
    for (const leaseId of new Set(change.leaseIds)) of(leaseId).changes.push(change);
    const { filter } = change;
    if (filter === null) continue;
    const named = new Set(change.leaseIds);
    for (const lease of leases.values()) {
      if (named.has(lease.leaseId) || lease.integration !== filter.integration) continue;
      if (!lease.runs.some(({ endedBy }) => endedBy === ADMIN)) continue;
      const [issue] = lease.issues;
      if (issue?.holder === filter.holder && issue.askedAt <= change.answeredAt + KEEPS_OUT_WITHIN_MS)
        lease.changes.push(change);
    }
  }
}
