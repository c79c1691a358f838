import { eventually, pause } from '../support/lab';
import type { WorkerProcess } from '../support/worker-process';
import type { Bench, SeenCall, Subject } from './subject';
import { nameOf, openTrials, stepsOf } from './trial';
import type { Step } from './trial';

/** A lease whose first attempt is stopped once this call is done, and so before the one that comes next. */
interface Point {
  readonly step: Step;
  readonly leaseId: string;
  readonly idempotencyKey: string;
  reached: boolean;
}

const TIMINGS = { issue_timeout: '2m', attempt_timeout: '20s', heartbeat_timeout: '3s', consistency_window: '2s' };

/** Long enough for whatever woken attempts still do. */
const AFTERMATH_MS = 2_500;

/**
 * A worker process is stopped while it provisions several leases, one before each call that changes something and one after
 * the last, and is woken after another worker delivered them all.
 * @param provision the calls of a healthy provision.
 */
export function describeStalls(subject: Subject, provision: () => readonly Step[]): void {
  describe('whose first attempt is stopped before any change and wakes after its successor delivered', () => {
    let bench: Bench;
    let points: Step[];

    beforeAll(async () => {
      const steps = provision();
      points = steps.filter(
        ({ effect }, index) => effect === 'credential' || (steps[index + 1]?.effect ?? 'none') !== 'none',
      );
      // A stopped process still holds what its open polls are given. One whose slots are all taken has no open poll.
      bench = await subject.open({ timings: TIMINGS, slots: points.length, echo: 'stalled' });
    }, 60_000);

    afterAll(() => bench.close());

    test('is delivered once, and nothing is changed by the woken attempt', async () => {
      const { lab, integration } = bench;
      const trials = await openTrials(bench);
      await lab.startWorker(['--workflows-only']);
      const stalled = await lab.startWorker(['--integrations', integration]);
      const held = points.map((step): Point => ({ step, ...trials.reserve(), reached: false }));
      const release = holdAt(bench, held);
      const issued = held.map(({ idempotencyKey }) => trials.issue({ idempotencyKey, timeoutMs: 120_000 }));
      await eventually(async () => held.every(({ reached }) => reached), 'all leases to be at the call to stop at');
      stalled.signal('SIGSTOP');
      release();
      const successor: WorkerProcess = await lab.startWorker(['--integrations', integration]);
      const leases = await Promise.all(issued);
      const before = new Map(leases.map(({ leaseId }) => [leaseId, bench.calls(leaseId).length]));
      stalled.signal('SIGCONT');
      await pause(AFTERMATH_MS);
      const changes = held.flatMap(({ leaseId, step }) =>
        bench
          .calls(leaseId)
          .slice(before.get(leaseId))
          .filter(({ effect }) => effect !== 'none')
          .map(({ operation }) => `stopped after ${nameOf(step)}: ${operation}`),
      );
      expect(changes).toEqual([]);
      for (const lease of leases) await trials.expectLive(lease);
      await Promise.all(leases.map((lease) => trials.endLease(lease)));
      expect([await stalled.stop(), await successor.stop()]).toEqual([0, 0]);
    }, 180_000);
  });
}

/** Keeps each lease's call from being answered until the returned function is called. */
function holdAt(bench: Bench, points: readonly Point[]): () => void {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  bench.onDone(async (leaseIs, call: SeenCall) => {
    const point = points.find(({ leaseId }) => leaseIs(leaseId));
    if (point === undefined || point.reached || point.step.operation !== call.operation) return;
    const done = stepsOf(bench.calls(point.leaseId)).filter(({ operation }) => operation === call.operation);
    if (done.length !== point.step.nth) return;
    point.reached = true;
    await released;
  });
  return () => {
    release();
  };
}
