import { openTcpGate } from '../../dev/tcp-gate';
import type { TcpGate } from '../../dev/tcp-gate';
import { eventually, pause } from '../support/lab';
import { handled, holdAt, pointsOf } from './stalls';
import type { Point } from './stalls';
import type { Bench, Subject } from './subject';
import { nameOf, openTrials } from './trial';
import type { Paths } from './trial';

const TIMINGS = {
  issue_timeout: '1m',
  attempt_timeout: '20s',
  // Longer than it is cut off, so that nobody takes the attempts over or tells them to stop.
  heartbeat_timeout: '15s',
  consistency_window: '2s',
  stuck_after: '1m',
};

/** Long enough for an attempt to come from one call to the next on a busy machine. */
const CUT_MS = 2_500;

/**
 * A worker process loses Temporal in the middle of many attempts, right before each call that changes something. Fails unless all
 * of those calls wait: who cannot ask whether the lease is still its own must not change anything. What the stalls show of an
 * attempt that lost its lease, this shows on a busy machine, too.
 */
export async function cutOffAttempts(subject: Subject, { provision, spoilers, clearance }: Paths): Promise<void> {
  const up = pointsOf(provision);
  const down = pointsOf(clearance);
  const slots = Math.max(up.length, down.length);
  const bench = await subject.open({ timings: TIMINGS, slots, echo: 'cut off' });
  const gate = await openTcpGate(bench.lab.address);
  try {
    const trials = await openTrials(bench);
    await bench.lab.startWorker(['--workflows-only']);
    await bench.lab.startWorker(['--integrations', bench.integration], { TEMPORAL_ADDRESS: gate.address });

    const provisions = up.map((step): Point => ({ verb: 'provision', step, ...trials.reserve(), reached: false }));
    const issued = await changesWhileCut(bench, gate, provisions, spoilers.length, () =>
      Promise.all(provisions.map(({ idempotencyKey }) => trials.issue({ idempotencyKey }))),
    );
    for (const lease of issued) await trials.expectLive(lease);
    await Promise.all(issued.map((lease) => trials.endLease(lease)));

    const removals = down.map((step): Point => ({ verb: 'removal', step, ...trials.reserve(), reached: false }));
    await changesWhileCut(bench, gate, removals, spoilers.length, () =>
      Promise.all(
        removals.map(async ({ leaseId, idempotencyKey }) => {
          for (const fault of spoilers) bench.fail(leaseId, fault);
          await expect(trials.issue({ idempotencyKey })).rejects.toMatchObject({ code: 'InvalidInput' });
          await trials.expectEnd(leaseId, 'failed');
        }),
      ),
    );
  } finally {
    await bench.close();
    await gate.close();
  }
}

/** Starts leases and cuts Temporal off once each is at its call. Answers what became of them after that. */
async function changesWhileCut<T>(
  bench: Bench,
  gate: TcpGate,
  points: readonly Point[],
  spoilt: number,
  start: () => Promise<T>,
): Promise<T> {
  const release = holdAt(bench, points, spoilt);
  const started = handled(start());
  const reached = eventually(async () => points.every((point) => point.reached), 'all leases to be at their call');
  await Promise.race([reached, started]);
  gate.cut();
  const before = new Map(points.map(({ leaseId }) => [leaseId, bench.calls(leaseId).length]));
  release();
  await pause(CUT_MS);
  const changes = points.flatMap(({ verb, step, leaseId }) =>
    bench
      .calls(leaseId)
      .slice(before.get(leaseId))
      .filter(({ effect }) => effect !== 'none')
      .map(({ operation }) => `${verb} cut off after ${nameOf(step)}: ${operation}`),
  );
  gate.mend();
  expect(changes).toEqual([]);
  return started;
}
