import { setTimeout as sleep } from 'node:timers/promises';
import { play } from '../../chaos/play';
import type { Operation, Plan } from '../../chaos/plan-types';

const RELOAD: Operation = { do: 'reload', invalid: false };

function planAt(...times: readonly number[]): Plan {
  return times.map((atMs) => ({ atMs, operation: RELOAD }));
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

test('each moment begins when its time has come, and none waits for the one before', async () => {
  const begun: number[] = [];
  const startedAt = performance.now();
  const playing = play(planAt(0, 40, 80), {
    perform: () => {
      begun.push(performance.now() - startedAt);
      return never();
    },
    inject: never,
  });
  await playing.begun;
  expect(begun).toHaveLength(3);
  begun.forEach((at, index) => {
    // Timers may be early by less than a millisecond.
    expect(at).toBeGreaterThanOrEqual(index * 40 - 1);
  });
  expect(playing.open()).toBe(3);
});

test('more than may be under way at once waits, and by how much the plan is late is told', async () => {
  let under = 0;
  let most = 0;
  const playing = play(planAt(0, 0, 0, 0), {
    perform: async () => {
      most = Math.max(most, ++under);
      await sleep(30);
      under -= 1;
      return true;
    },
    inject: never,
    most: 2,
  });
  await playing.begun;
  await playing.over();
  expect(most).toBe(2);
  expect(playing.latest()).toBeGreaterThan(25);
});

test('operations for which there was no lease are counted', async () => {
  const answers = [true, false, false];
  const playing = play(planAt(0, 0, 0), { perform: async () => answers.shift()!, inject: never });
  await playing.begun;
  await playing.over();
  expect(playing.skipped()).toBe(2);
});

test('what an operation throws ends the run: it is a mistake of the suite and no find', async () => {
  const perform = (): Promise<never> => Promise.reject(new Error('a mistake'));
  const playing = play(planAt(0, 20, 1_000_000), { perform, inject: never });
  await expect(playing.begun).rejects.toThrow('a mistake');
  await expect(playing.over()).rejects.toThrow('a mistake');
});
