import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Context } from '@temporalio/activity';
import { alsoRequire, guardAttempt } from '../../../activities/fence';
import type { GuardedAttempt } from '../../../activities/fence';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let guard: GuardedAttempt;

/** An attempt of an activity with these bounds, whose heartbeats Temporal confirms. */
function begin(bounds: Partial<Context['info']>): void {
  const context = {
    info: {
      startToCloseTimeoutMs: 300_000,
      scheduleToCloseTimeoutMs: 0,
      scheduledTimestampMs: 1_000,
      currentAttemptScheduledTimestampMs: 1_000,
      heartbeatTimeoutMs: 8_000,
      ...bounds,
    },
    cancellationSignal: new AbortController().signal,
    heartbeat: () => undefined,
    client: {
      withDeadline: <T>(_: number, act: () => Promise<T>) => act(),
      workflowService: { recordActivityTaskHeartbeat: () => Promise.resolve({}) },
    },
  } as unknown as Context;
  guard = guardAttempt(context, { deployment: 'testdepl', leaseId: 'a'.repeat(24) });
}

afterEach(() => {
  guard.close();
  jest.useRealTimers();
});

test('an attempt is told when its time is over, whatever was tidied up meanwhile', async () => {
  begin({ startToCloseTimeoutMs: 300, heartbeatTimeoutMs: 3_000 });
  await sleep(50);
  collectGarbage();
  expect(guard.attempt.fence.signal.aborted).toBe(false);
  await sleep(400);
  expect(guard.attempt.fence.signal.aborted).toBe(true);
  expect(guard.attempt.fence.holds()).toBe(false);
});

describe('a change', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  test.each([
    ['three seconds', 3_000, 1_500],
    ['half a minute', 30_000, 6_500],
  ])(
    'follows on the word of Temporal within seconds, also where an attempt may be silent for %s',
    async (_, heartbeatTimeoutMs, grantedMs) => {
      begin({ heartbeatTimeoutMs });
      const { fence } = guard.attempt;
      await fence.pass('Delete');
      jest.advanceTimersByTime(grantedMs - 1);
      expect(fence.holds()).toBe(true);
      jest.advanceTimersByTime(1);
      expect(fence.holds()).toBe(false);
    },
  );

  test('is not made when the time of all attempts is over, though this one might take longer', async () => {
    begin({ scheduleToCloseTimeoutMs: 60_000, currentAttemptScheduledTimestampMs: 1_000 + 57_000 });
    const { fence, deadline } = guard.attempt;
    expect(deadline.getTime() - Date.now()).toBe(3_000);
    await fence.pass('Create');
    jest.advanceTimersByTime(2_999);
    expect(fence.holds()).toBe(true);
    jest.advanceTimersByTime(1);
    expect(fence.holds()).toBe(false);
    await expect(fence.pass('Create')).rejects.toThrow('The attempt was over before Create.');
  });

  test('is not made by an attempt that was stopped until its time was over, and has just woken', async () => {
    begin({ startToCloseTimeoutMs: 2_000 });
    const { fence } = guard.attempt;
    await fence.pass('Create');
    jest.setSystemTime(Date.now() + 2_000);
    expect(fence.signal.aborted).toBe(false);
    expect(fence.holds()).toBe(false);
  });

  test('of a probe is not made once its look at the lease is as old as what Temporal said may be', async () => {
    begin({ heartbeatTimeoutMs: 30_000 });
    const { fence } = alsoRequire(guard.attempt, () => {
      jest.advanceTimersByTime(4_000);
      return Promise.resolve();
    });
    await fence.pass('Delete');
    jest.advanceTimersByTime(2_499);
    expect(fence.holds()).toBe(true);
    jest.advanceTimersByTime(1);
    expect(fence.holds()).toBe(false);
  });
});
