import type { Lease } from '../../client/leases';
import { eventually, pause } from '../support/lab';
import type { Bench, CallFault, SeenCall, Subject } from './subject';
import { nameOf, openTrials, stepsOf } from './trial';
import type { Paths, Step, Trials } from './trial';

/** A lease whose attempt is held once this call is done, and so before the one that comes next. */
export interface Point {
  readonly verb: 'provision' | 'removal';
  readonly step: Step;
  readonly leaseId: string;
  readonly idempotencyKey: string;
  reached: boolean;
}

const TIMINGS = {
  issue_timeout: '2m',
  // Longer than an attempt is stopped, so that it does not wake to find its time over.
  attempt_timeout: '30s',
  heartbeat_timeout: '3s',
  consistency_window: '2s',
  stuck_after: '1m',
};

const ISSUE_MS = 120_000;

/** Long enough for whatever woken attempts still do. */
const AFTERMATH_MS = 2_500;

/**
 * One worker process is stopped in the middle of many attempts: before each call that changes something, of
 * provisions and of removals. It is woken after another worker has done it all. Fails unless each lease is delivered
 * once and the woken attempts change nothing of it.
 */
export async function stallAttempts(subject: Subject, { provision, spoilers, clearance }: Paths): Promise<void> {
  const up = pointsOf(provision);
  const down = pointsOf(clearance);
  // A stopped process still holds what its open polls are given. One whose slots are all taken has no open poll.
  const slots = Math.max(up.length, down.length);
  const bench = await subject.open({ timings: TIMINGS, slots, echo: 'stalled' });
  try {
    const trials = await openTrials(bench);
    const fill = (verb: Point['verb'], steps: readonly Step[]) =>
      Array.from({ length: slots }, (_, index): Point => {
        return { verb, step: steps[index % steps.length]!, ...trials.reserve(), reached: false };
      });
    await stall(bench, trials, {
      removals: fill('removal', down),
      provisions: fill('provision', up),
      spoilers,
    });
  } finally {
    await bench.close();
  }
}

interface Scene {
  readonly removals: readonly Point[];
  readonly provisions: readonly Point[];
  readonly spoilers: readonly CallFault[];
}

async function stall(bench: Bench, trials: Trials, scene: Scene): Promise<void> {
  const { lab, integration } = bench;
  const points = [...scene.removals, ...scene.provisions];
  await lab.startWorker(['--workflows-only']);
  const stalled = await lab.startWorker(['--integrations', integration]);
  const release = holdAt(bench, points, scene.spoilers.length);
  const reach = (some: readonly Point[]) =>
    eventually(async () => some.every(({ reached }) => reached), 'all leases to be at the call to stop at');

  /**
   * What is removed is a lease that failed, because its idempotency key may be used again: the lease issued then has the
   * same id and the same name at the provider, where a removal that wakes would find it.
   */
  async function issueAgain({ leaseId, idempotencyKey }: Point): Promise<Lease> {
    for (const fault of scene.spoilers) bench.fail(leaseId, fault);
    await expect(trials.issue({ idempotencyKey })).rejects.toMatchObject({ code: 'InvalidInput' });
    await trials.expectEnd(leaseId, 'failed');
    return trials.issue({ idempotencyKey, timeoutMs: ISSUE_MS });
  }

  const reissued = handled(Promise.all(scene.removals.map(issueAgain)));
  await Promise.race([reach(scene.removals), reissued]);
  const issued = handled(
    Promise.all(scene.provisions.map(({ idempotencyKey }) => trials.issue({ idempotencyKey, timeoutMs: ISSUE_MS }))),
  );
  await Promise.race([reach(points), issued]);
  // A process that was stopped for long is told to stop before anything else happens: the worker's own clock says so. The
  // fence is what holds where others were quick, so the other worker stands ready.
  const successor = await lab.startWorker(['--integrations', integration]);
  stalled.signal('SIGSTOP');
  release();
  const leases = [...(await issued), ...(await reissued)];
  const before = new Map(points.map(({ leaseId }) => [leaseId, bench.calls(leaseId).length]));
  stalled.signal('SIGCONT');
  await pause(AFTERMATH_MS);
  const changes = points.flatMap(({ verb, step, leaseId }) =>
    bench
      .calls(leaseId)
      .slice(before.get(leaseId))
      .filter(({ effect }) => effect !== 'none')
      .map(({ operation }) => `${verb} stopped after ${nameOf(step)}: ${operation}`),
  );
  expect(changes).toEqual([]);
  expect(points.filter(({ reached }) => !reached)).toEqual([]);
  for (const lease of leases) await trials.expectLive(lease);
  await Promise.all(leases.map((lease) => trials.endLease(lease)));
  expect([await stalled.stop(), await successor.stop()]).toEqual([0, 0]);
}

/** The calls after each of which a change comes. */
export function pointsOf(path: readonly Step[]): Step[] {
  return path.filter((_, index) => (path[index + 1]?.effect ?? 'none') !== 'none');
}

/**
 * Keeps each lease's call from being answered until the returned function is called.
 * @param spoilt how many calls of a lease were made to fail before its removal begins.
 */
export function holdAt(bench: Bench, points: readonly Point[], spoilt: number): () => void {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  bench.onDone(async (leaseIs, { operation }: SeenCall) => {
    const point = points.find(({ leaseId }) => leaseIs(leaseId));
    if (point === undefined || point.reached || point.step.operation !== operation) return;
    const calls = bench.calls(point.leaseId);
    const isRemoval = point.verb === 'removal';
    if (isRemoval && calls.filter(({ faulty }) => faulty).length < spoilt) return;
    const from = isRemoval ? calls.findLastIndex(({ faulty }) => faulty) + 1 : 0;
    const seen = stepsOf(calls.slice(from)).filter((step) => step.operation === operation);
    if (seen.length !== point.step.nth) return;
    point.reached = true;
    await released;
  });
  return () => {
    release();
  };
}

/** Marks a rejection as expected although it may be awaited only later, or not at all once something else has failed. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
