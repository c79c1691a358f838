import type { AuditEvent, AuditLine } from '../../../audit/line';
import { check } from '../../chaos/check';
import type { PromiseName } from '../../chaos/report';
import type {
  ChangeSeen,
  DeedSeen,
  EntitySeen,
  FaultSeen,
  IssueSeen,
  LeaseRun,
  Snapshot,
  Trace,
  UseSeen,
} from '../../chaos/trace';

/** Everything in these traces is told in milliseconds from here. */
export const T0 = Date.UTC(2026, 0, 1, 12);
export const LEASE = 'a'.repeat(24);
export const OTHER = 'b'.repeat(24);
const TTL = 30_000;
const EVERY = 1_500;

/** All that is seen of one lease. */
export interface Life {
  readonly issues: readonly IssueSeen[];
  readonly changes: readonly ChangeSeen[];
  readonly uses: readonly UseSeen[];
  readonly runs: readonly LeaseRun[];
  readonly deeds: readonly DeedSeen[];
  readonly lines: readonly AuditLine[];
  /** What its provider shows, and from when to when. */
  readonly shown: readonly { readonly from: number; readonly to: number; readonly entity: EntitySeen }[];
}

/** A lease that was issued at 1 s for 30 s, used, expired at 31 s, and was removed half a second later. */
export function expiredLease(leaseId = LEASE): Life {
  const entity = entityOf(leaseId);
  return {
    issues: [issueOf(leaseId)],
    changes: [],
    uses: [useOf(10_000, 'ok', leaseId), useOf(34_000, 'InvalidClientTokenId', leaseId)],
    runs: [runOf({ leaseId })],
    deeds: [
      deedOf({ leaseId, operation: 'CreateAccessKey', effect: 'makes', at: 800 }),
      deedOf({ leaseId, operation: 'DeleteAccessKey', effect: 'removes', at: 31_500 }),
    ],
    lines: [lineOf('issued', leaseId), lineOf('delivered', leaseId), lineOf('expired', leaseId)],
    shown: [{ from: 700, to: 31_600, entity }],
  };
}

/** The same lease, revoked by its holder at 10 s and gone half a second later. */
export function revokedLease(leaseId = LEASE): Life {
  const life = expiredLease(leaseId);
  return {
    ...life,
    changes: [changeOf({ what: 'revoke', leaseIds: [leaseId], askedAt: 10_000, answeredAt: 11_000, state: 'revoked' })],
    uses: [useOf(5_000, 'ok', leaseId), useOf(12_000, 'InvalidClientTokenId', leaseId)],
    runs: [
      runOf({
        leaseId,
        state: 'revoked',
        endedBy: 'token:ada',
        deprovisionScheduledAt: 10_100,
        endedAt: 10_900,
        closedAt: 10_950,
      }),
    ],
    deeds: [life.deeds[0]!, { ...life.deeds[1]!, at: T0 + 10_500 }],
    lines: [lineOf('issued', leaseId), lineOf('delivered', leaseId), lineOf('revoked', leaseId)],
    shown: [{ from: 700, to: 10_600, entity: entityOf(leaseId) }],
  };
}

/** The same lease, whose workflow was terminated at 10 s, and which was swept at 18 s. */
export function terminatedLease(leaseId = LEASE): Life {
  const life = expiredLease(leaseId);
  return {
    ...life,
    changes: [changeOf({ what: 'terminate', leaseIds: [leaseId], askedAt: 9_900, answeredAt: 10_000 })],
    uses: [],
    runs: [
      runOf({
        leaseId,
        status: 'TERMINATED',
        state: null,
        endedAt: null,
        closedAt: 10_000,
        deprovisionScheduledAt: null,
        removals: 0,
      }),
    ],
    deeds: [life.deeds[0]!, { ...life.deeds[1]!, at: T0 + 18_000 }],
    lines: [lineOf('issued', leaseId), lineOf('delivered', leaseId), lineOf('swept', leaseId)],
    shown: [{ from: 700, to: 18_050, entity: entityOf(leaseId) }],
  };
}

/** @param over instants from {@link T0}, as in all that follow. */
export function runOf(over: Partial<LeaseRun> = {}): LeaseRun {
  const run: LeaseRun = {
    leaseId: LEASE,
    runId: 'run-1',
    status: 'COMPLETED',
    startedAt: 550,
    closedAt: 31_800,
    integration: 'aws',
    state: 'expired',
    endedAt: 31_750,
    endedBy: null,
    delivered: true,
    plannedAt: 600,
    entity: entityOf(over.leaseId ?? LEASE).name,
    provisionScheduledAt: 600,
    provisionedAt: 990,
    removals: 1,
    nudges: 0,
    stuckAt: null,
    deprovisionScheduledAt: 31_050,
    expiresAt: 31_000,
    replay: 'ok',
    ...over,
  };
  return {
    ...run,
    startedAt: T0 + run.startedAt,
    closedAt: later(run.closedAt),
    endedAt: later(run.endedAt),
    plannedAt: later(run.plannedAt),
    provisionScheduledAt: later(run.provisionScheduledAt),
    provisionedAt: later(run.provisionedAt),
    stuckAt: later(run.stuckAt),
    deprovisionScheduledAt: later(run.deprovisionScheduledAt),
    expiresAt: later(run.expiresAt),
  };
}

export function issueOf(leaseId = LEASE, over: Partial<IssueSeen> = {}): IssueSeen {
  return {
    integration: 'aws',
    holder: 'token:ada',
    ttlMs: TTL,
    idempotencyKey: null,
    askedAt: T0 + 500,
    answeredAt: T0 + 1_200,
    outcome: { is: 'delivered', leaseId, expiresAt: T0 + 31_000, identity: identityOf(leaseId) },
    ...over,
  };
}

export function changeOf(over: Partial<ChangeSeen>): ChangeSeen {
  const change: ChangeSeen = {
    what: 'extend',
    leaseIds: [LEASE],
    filter: null,
    askedAt: 10_000,
    answeredAt: 10_500,
    ttlMs: null,
    answer: 'ok',
    expiresAt: null,
    state: null,
    ...over,
  };
  return {
    ...change,
    askedAt: T0 + change.askedAt,
    answeredAt: T0 + change.answeredAt,
    expiresAt: later(change.expiresAt),
  };
}

export function useOf(at: number, answer: string, leaseId = LEASE): UseSeen {
  return { leaseId, startedAt: T0 + at, endedAt: T0 + at + 20, answer };
}

export function deedOf(over: Partial<DeedSeen>): DeedSeen {
  const { leaseId = LEASE, at = 0 } = over;
  return {
    integration: 'aws',
    operation: 'CreateAccessKey',
    entity: entityOf(leaseId ?? LEASE).name,
    leaseId,
    effect: 'makes',
    done: true,
    ...over,
    at: T0 + at,
  };
}

export function faultOf(fault: FaultSeen['fault'], from: number, to: number): FaultSeen {
  return { fault, from: T0 + from, to: T0 + to, hit: true };
}

export function lineOf(event: AuditEvent, leaseId: string | null = LEASE, over: Partial<AuditLine> = {}): AuditLine {
  return {
    time: new Date(T0).toISOString(),
    id: `${leaseId ?? 'none'}/run-1/${event}`,
    event,
    leaseId,
    holder: 'token:ada',
    project: 'backend',
    config: 'prd',
    dynamicSecret: 'S3_READER',
    integration: 'aws',
    entity: null,
    by: null,
    reason: null,
    details: event === 'issued' ? { expiresAt: new Date(T0 + 31_000).toISOString() } : {},
    ...over,
  };
}

export function entityOf(leaseId: string, identities = [identityOf(leaseId)]): EntitySeen {
  return { integration: 'aws', name: `leasehold-abcdefgh-${leaseId}`, leaseId, identities };
}

export function identityOf(leaseId: string): string {
  return `AKIA${leaseId.slice(0, 4).toUpperCase()}`;
}

/** A run of two minutes, healed after 60 s, in which these leases lived, seen every 1.5 s. */
export function traceOf(lives: readonly Life[], more: Partial<Trace> = {}): Trace {
  const snapshots: Snapshot[] = [];
  for (let at = 0; at <= 120_000; at += EVERY) {
    const entities = lives
      .flatMap(({ shown }) => shown)
      .filter(({ from, to }) => from <= at && to >= at)
      .map(({ entity }) => entity);
    snapshots.push({ startedAt: T0 + at, endedAt: T0 + at + 10, entities });
  }
  const runs = lives.flatMap((life) => life.runs);
  return {
    size: { seed: 1, leases: lives.length, faults: 0, durationMs: 60_000 },
    startedAt: T0,
    healedAt: T0 + 60_000,
    settledAt: T0 + 119_000,
    operations: [],
    issues: lives.flatMap((life) => life.issues),
    changes: lives.flatMap((life) => life.changes),
    uses: lives.flatMap((life) => life.uses),
    snapshots,
    deeds: lives.flatMap((life) => life.deeds),
    faults: [],
    runs,
    audit: lives.flatMap((life) => life.lines).map((line) => ({ file: 'worker-1.audit', line })),
    cutLines: [],
    leaks: [],
    searched: { bytes: 1_000, files: 1, histories: runs.length, values: lives.length },
    crashes: [],
    alerts: [],
    ...more,
  };
}

/** Promise and lease of each violation, which is what tests ask for; the sentences are for people. */
export function verdictOn(trace: Trace): [PromiseName, string | null][] {
  return check(trace).violations.map(({ promise, leaseId }) => [promise, leaseId]);
}

function later(instant: number | null): number | null {
  return instant === null ? null : T0 + instant;
}
