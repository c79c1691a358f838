import { setTimeout as pause } from 'node:timers/promises';
import { load } from '../../../bench/load';

const { signal } = new AbortController();

test('each call is made once, by no more callers than were asked for, and its duration is told', async () => {
  const made: number[] = [];
  let underWay = 0;
  let most = 0;
  const { durations, wholeMs } = await load({ total: 20, concurrency: 4, signal }, async (index) => {
    underWay += 1;
    most = Math.max(most, underWay);
    made.push(index);
    await pause(2);
    underWay -= 1;
  });
  expect(made.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  expect(most).toBe(4);
  expect(durations).toHaveLength(20);
  for (const duration of durations) {
    expect(duration).toBeGreaterThan(0);
    expect(duration).toBeLessThanOrEqual(wholeMs);
  }
});

test('more callers than calls are no trouble', async () => {
  expect((await load({ total: 2, concurrency: 50, signal }, () => pause(1))).durations).toHaveLength(2);
});

test('after a rejection no call begins, those under way are waited for, and the first rejection is thrown', async () => {
  const begun: number[] = [];
  const over: number[] = [];
  const loading = load({ total: 100, concurrency: 3, signal }, async (index) => {
    begun.push(index);
    if (index === 1) throw new Error('the provider is away');
    await pause(20);
    over.push(index);
    if (index === 0) throw new Error('later');
  });
  await expect(loading).rejects.toThrow('the provider is away');
  expect(begun).toEqual([0, 1, 2]);
  expect(over).toEqual([0, 2]);
});

test('a rejection without a reason is one as well', async () => {
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
  const loading = load({ total: 3, concurrency: 1, signal }, () => Promise.reject(undefined));
  await expect(loading).rejects.toBeUndefined();
});

test('once somebody asks to end, no call begins any more', async () => {
  const controller = new AbortController();
  let begun = 0;
  const loading = load({ total: 100, concurrency: 2, signal: controller.signal }, async () => {
    begun += 1;
    if (begun === 4) controller.abort();
    await pause(1);
  });
  await expect(loading).rejects.toMatchObject({ name: 'AbortError' });
  expect(begun).toBeLessThan(10);
});
