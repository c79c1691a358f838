import { randomUUID } from 'node:crypto';
import { deriveLeaseId } from '../../client/lease-id';
import type { IssueRequest, Lease, LeaseError } from '../../client/leases';
import type { LeaseOutcome } from '../../workflows/contract';
import { deploymentId } from '../../temporal/deployment';
import type { Bench, CallFault, Kind, SeenCall } from './subject';

/** One call of a lease. */
export interface Step {
  readonly operation: string;
  /** Which of the lease's calls of that name, from 1; in a removal, of the removal's. */
  readonly nth: number;
  readonly effect: SeenCall['effect'];
}

/** What leases were seen to ask of the provider, in order. */
export interface Paths {
  readonly provision: readonly Step[];
  readonly removal: readonly Step[];
  readonly extension: readonly Step[];
  /** Of the attempt that follows one which lost the answer to the call that makes the credential. */
  readonly secondAttempt: readonly Step[];
  /** After these a provision fails and leaves as much as one can. */
  readonly spoilers: readonly CallFault[];
  /** The removal of what such a provision left. */
  readonly clearance: readonly Step[];
}

/** Leases of a bench, each looked at to its end. */
export interface Trials {
  /** What was delivered so far. */
  readonly secrets: ReadonlySet<string>;
  discover(): Promise<Paths>;
  issue(request?: Partial<IssueRequest>): Promise<Lease>;
  /** An idempotency key and the lease that it gives. */
  reserve(): { readonly idempotencyKey: string; readonly leaseId: string };
  /** Fails unless the provider holds this lease, once, with one credential that works and that it does not end before the lease. */
  expectLive(lease: Lease): Promise<void>;
  /** Revokes it and fails unless nothing is left of it. */
  endLease(lease: Lease): Promise<void>;
  /** Fails unless the lease ended so, within the bound, and nothing is left of it. */
  expectEnd(leaseId: string, state: LeaseOutcome['state'], lease?: Lease): Promise<void>;
  /** A lease whose provision meets these faults. Fails unless it is delivered, or, where allowed, fails; never in between. */
  provision(faults: readonly CallFault[], mayFail: boolean): Promise<void>;
  /** A lease whose removal meets this fault. Fails unless it ends all the same. */
  remove(fault: CallFault): Promise<void>;
  /** A lease whose extension meets this fault. Fails unless it is extended or, where that is right, stays as it was. */
  lengthen(fault: CallFault): Promise<void>;
  /** The same where the extension brings the end near. Fails besides unless the lease then ends. */
  shorten(fault: CallFault): Promise<void>;
  /**
   * A lease of which something appears at the provider right after this call of its provision, which may meet faults before, or of
   * its removal. Fails unless that goes.
   */
  provisionLate(step: Step, faults?: readonly CallFault[]): Promise<void>;
  removeLate(step: Step): Promise<void>;
  /**
   * A lease beside what is not its own and looks most like it, from before it is issued or, in place of its own, from before it ends.
   * Fails unless that stays as it is.
   */
  provisionBeside(): Promise<void>;
  removeBeside(): Promise<void>;
  /** A lease with one call of its removal failing until the provider recovers. */
  outlast(fault: Omit<CallFault, 'times'>, mustStick: boolean): Promise<void>;
}

interface Late {
  readonly step: Step;
  seen: number;
}

/** Longest time from a request to its answer, and from a failure or a revoke to the end: far more than either takes on a busy machine. */
export const ISSUE_WITHIN_MS = 90_000;
export const REMOVE_WITHIN_MS = 90_000;

/** Kinds after which it is right to give a lease up. After all others it must be delivered. */
export const FATAL: readonly Kind[] = ['refused', 'quota exceeded', 'called invalid'];

const HOLDER = 'tester';

const TTL = '30m';
const LONGER = '45m';
/** Long enough for the first calls of an extension, so that one that is refused for good finds the lease alive. */
const SHORTER = '6s';

export async function openTrials(bench: Bench): Promise<Trials> {
  const { lab } = bench;
  const deployment = await deploymentId(lab.client.connection, lab.namespace);
  const secrets = new Set<string>();
  /** Most credentials seen alive at once, by the lease. */
  const most = new Map<string, number>();
  /** What still has to appear, by the lease. */
  const late = new Map<string, Late>();

  bench.onDone(async (leaseIs, call) => {
    for (const [leaseId, due] of late) {
      if (!leaseIs(leaseId) || call.operation !== due.step.operation) continue;
      due.seen += 1;
      if (due.seen !== due.step.nth) continue;
      late.delete(leaseId);
      await bench.makeLate(nameFor(leaseId), { deployment, leaseId });
    }
    if (call.effect !== 'credential') return;
    for (const leaseId of most.keys()) {
      if (leaseIs(leaseId)) most.set(leaseId, Math.max(most.get(leaseId)!, await bench.credentials(leaseId)));
    }
  });

  /** Of a lease's entity, as the name of another one's says. */
  let nameFor = (leaseId: string): string => leaseId;

  async function issue(request: Partial<IssueRequest> = {}): Promise<Lease> {
    const lease = await lab.leases.issue({ ...bench.request, holder: HOLDER, ttl: TTL, ...request });
    for (const secret of bench.secretsOf(lease.credential)) secrets.add(secret);
    return lease;
  }

  function reserve(): ReturnType<Trials['reserve']> {
    const idempotencyKey = randomUUID();
    const parts = { deployment, holder: `library:${HOLDER}`, ...bench.request, idempotencyKey };
    return { idempotencyKey, leaseId: deriveLeaseId(parts) };
  }

  async function expectLive(lease: Lease): Promise<void> {
    expect(await bench.entities(lease.leaseId)).toHaveLength(1);
    expect(await bench.credentials(lease.leaseId)).toBe(1);
    expect(await bench.works(lease.credential)).toBe(true);
    const { expiresAt } = await lab.leases.get(lease.leaseId);
    await expectNotBefore(lease.leaseId, expiresAt!);
  }

  /** The provider may end by itself only what is over. */
  async function expectNotBefore(leaseId: string, end: Date): Promise<void> {
    const expiry = await bench.expiry?.(leaseId);
    if (expiry instanceof Date) expect(expiry.getTime()).toBeGreaterThanOrEqual(end.getTime());
  }

  async function expectEnd(leaseId: string, state: LeaseOutcome['state'], lease?: Lease): Promise<void> {
    const outcome = await within(REMOVE_WITHIN_MS, `lease ${leaseId} to end`, lab.outcome(leaseId));
    expect(outcome).toMatchObject({ state, delivered: lease !== undefined });
    expect(await bench.entities(leaseId)).toEqual([]);
    if (lease !== undefined) expect(await bench.works(lease.credential)).toBe(false);
  }

  async function endLease(lease: Lease): Promise<void> {
    await lease.revoke();
    await expectEnd(lease.leaseId, 'revoked', lease);
  }

  function isHit(leaseId: string, faults: readonly CallFault[]): boolean {
    const hit = bench.calls(leaseId).filter(({ faulty }) => faulty);
    return (
      hit.length >= faults.length && faults.every((fault) => hit.some((call) => call.operation === fault.operation))
    );
  }

  function expectHit(leaseId: string, faults: readonly CallFault[]): void {
    if (!isHit(leaseId, faults)) throw new FaultMissed();
  }

  /** What is asked for a lease after its last faulty call: until it is delivered or, where it failed, until it has ended. */
  async function seeAfter(faults: readonly CallFault[]): Promise<Step[]> {
    const { leaseId, idempotencyKey } = reserve();
    for (const fault of faults) bench.fail(leaseId, fault);
    const issued = await settle(issue({ idempotencyKey }));
    expectHit(leaseId, faults);
    if (!issued.ok) await expectEnd(leaseId, 'failed');
    const calls = bench.calls(leaseId);
    if (issued.ok) await endLease(issued.value);
    const from = calls.findLastIndex(({ faulty }) => faulty) + 1;
    return issued.ok ? stepsOf(calls).slice(from) : stepsOf(calls.slice(from));
  }

  /** Answers a lease whose extension met this fault, and what came of it. */
  async function extend(fault: CallFault, ttl: string): Promise<{ lease: Lease; extended: Settled<Date> }> {
    const lease = await issue();
    bench.fail(lease.leaseId, fault);
    const extended = await within(ISSUE_WITHIN_MS, 'the extension to be answered', settle(lease.extend(ttl)));
    expectHit(lease.leaseId, [fault]);
    return { lease, extended };
  }

  /** Refused where the lease has ended. */
  async function nudge({ leaseId }: Lease): Promise<void> {
    await lab
      .handle(leaseId)
      .signal('nudge')
      .catch(() => undefined);
  }

  async function expectUnchanged(lease: Lease): Promise<void> {
    expect((await lab.leases.get(lease.leaseId)).expiresAt).toEqual(lease.expiresAt);
    await expectLive(lease);
  }

  return {
    secrets,
    issue,
    reserve,
    expectLive,
    expectEnd,
    endLease,
    discover: async () => {
      const lease = await issue();
      const provision = stepsOf(bench.calls(lease.leaseId));
      const [name] = await bench.entities(lease.leaseId);
      nameFor = (leaseId) => name!.replace(lease.leaseId, leaseId);
      await lease.extend(LONGER);
      const extension = stepsOf(bench.calls(lease.leaseId).slice(provision.length));
      const before = bench.calls(lease.leaseId).length;
      await endLease(lease);
      const removal = stepsOf(bench.calls(lease.leaseId).slice(before));
      const { operation } = provision.find(({ effect }) => effect === 'credential')!;
      const lost: CallFault = { operation, kind: 'answer lost' };
      const secondAttempt = await seeAfter([lost]);
      const again = secondAttempt.find(({ effect }) => effect === 'credential')!;
      const spoilers: readonly CallFault[] =
        bench.abort === undefined
          ? [lost, { operation: again.operation, nth: again.nth, kind: 'called invalid' }]
          : [{ ...bench.abort, kind: 'called invalid' }];
      const clearance = await seeAfter(spoilers);
      return { provision, extension, removal, secondAttempt, spoilers, clearance };
    },
    provision: async (faults, mayFail) => {
      const { leaseId, idempotencyKey } = reserve();
      most.set(leaseId, 0);
      for (const fault of faults) bench.fail(leaseId, fault);
      const issued = await within(ISSUE_WITHIN_MS, 'the issue to be answered', settle(issue({ idempotencyKey })));
      // What the removal meets does not count.
      const hit = isHit(leaseId, faults);
      bench.recover(leaseId);
      if (issued.ok) {
        await expectLive(issued.value);
        await endLease(issued.value);
      } else {
        if (!mayFail) throw issued.error;
        await expectEnd(leaseId, 'failed');
      }
      if (!hit) throw new FaultMissed();
      expect(most.get(leaseId)).toBeLessThanOrEqual(1);
    },
    remove: async (fault) => {
      const lease = await issue();
      bench.fail(lease.leaseId, fault);
      await endLease(lease);
      expectHit(lease.leaseId, [fault]);
    },
    lengthen: async (fault) => {
      const { lease, extended } = await extend(fault, LONGER);
      if (extended.ok) {
        expect((await lab.leases.get(lease.leaseId)).expiresAt).toEqual(extended.value);
        await expectLive(lease);
      } else {
        if (!FATAL.includes(fault.kind)) throw extended.error;
        await expectUnchanged(lease);
      }
      await endLease(lease);
    },
    shorten: async (fault) => {
      const { lease, extended } = await extend(fault, SHORTER);
      if (extended.ok || (extended.error as Partial<LeaseError>).code === 'LeaseNotActive') {
        if (extended.ok) await expectNotBefore(lease.leaseId, extended.value);
        await expectEnd(lease.leaseId, 'expired', lease);
        return;
      }
      if (!FATAL.includes(fault.kind)) throw extended.error;
      await expectUnchanged(lease);
      await endLease(lease);
    },
    provisionLate: async (step, faults = []) => {
      const { leaseId, idempotencyKey } = reserve();
      for (const fault of faults) bench.fail(leaseId, fault);
      late.set(leaseId, { step, seen: 0 });
      const lease = await within(ISSUE_WITHIN_MS, 'the issue to be answered', issue({ idempotencyKey }));
      expect(late.has(leaseId)).toBe(false);
      await expectLive(lease);
      await endLease(lease);
    },
    removeLate: async (step) => {
      const lease = await issue();
      late.set(lease.leaseId, { step, seen: 0 });
      await endLease(lease);
      expect(late.has(lease.leaseId)).toBe(false);
    },
    provisionBeside: async () => {
      const { leaseId, idempotencyKey } = reserve();
      const alien = await bench.makeAlien(nameFor(leaseId));
      const issued = await within(ISSUE_WITHIN_MS, 'the issue to be answered', settle(issue({ idempotencyKey })));
      // Where it has the very name there is no room for the lease.
      if (!issued.ok) expect(issued.error).toMatchObject({ code: 'Refused' });
      else {
        await expectLive(issued.value);
        await endLease(issued.value);
      }
      expect(await alien.isWhole()).toBe(true);
      await alien.remove();
      if (!issued.ok) await expectEnd(leaseId, 'failed');
    },
    removeBeside: async () => {
      const lease = await issue();
      await bench.removeEntity(lease.leaseId);
      const alien = await bench.makeAlien(nameFor(lease.leaseId));
      await lease.revoke();
      await lab.until(lease.leaseId, 'stuck', 'revoked');
      expect(await alien.isWhole()).toBe(true);
      await alien.remove();
      await nudge(lease);
      await expectEnd(lease.leaseId, 'revoked', lease);
    },
    outlast: async (fault, mustStick) => {
      const lease = await issue();
      bench.fail(lease.leaseId, { ...fault, times: Infinity });
      await lease.revoke();
      await lab.until(lease.leaseId, 'stuck', ...(mustStick ? [] : (['revoked'] as const)));
      bench.recover(lease.leaseId);
      await nudge(lease);
      await expectEnd(lease.leaseId, 'revoked', lease);
    },
  };
}

/** On a busy machine an attempt may run out of time before it comes to the call that was to fail: nothing was tried then. */
export class FaultMissed extends Error {
  override readonly name = 'FaultMissed';

  constructor() {
    super('a fault hit no call');
  }
}

export function stepsOf(calls: readonly SeenCall[]): Step[] {
  const seen = new Map<string, number>();
  return calls.map(({ operation, effect }) => {
    const nth = (seen.get(operation) ?? 0) + 1;
    seen.set(operation, nth);
    return { operation, nth, effect };
  });
}

export function nameOf({ operation, nth = 1 }: Pick<CallFault, 'operation' | 'nth'>): string {
  return nth === 1 ? operation : `${operation} (${nth})`;
}

export type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

export async function settle<T>(promise: Promise<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await promise };
  } catch (error) {
    return { ok: false, error };
  }
}

export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`waited ${ms} ms in vain for ${what}`));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
