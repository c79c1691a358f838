import { setTimeout as pause } from 'node:timers/promises';
import { startCaller } from '../../../bench/expire/caller';

test('calls that another one holds up are made all the same, and count from the instant at which they were due', async () => {
  let calls = 0;
  const caller = startCaller(20, () => {
    calls += 1;
    return calls === 1 ? pause(200) : Promise.resolve();
  });
  await pause(150);
  const { samples, failures } = await caller.finish();
  expect(failures).toEqual([]);
  // One every 20 ms of 150, of which the first took 200.
  expect(samples.length).toBeGreaterThanOrEqual(7);
  expect(calls).toBe(samples.length);
  const [first, second] = samples;
  expect(first?.ms).toBeGreaterThanOrEqual(199);
  expect(second?.ms).toBeGreaterThanOrEqual(170);
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeCloseTo(20, 5);
});

test('a call that fails is told, and the next ones are made', async () => {
  let calls = 0;
  const caller = startCaller(5, () => {
    calls += 1;
    return calls === 2 ? Promise.reject(new Error('refused')) : Promise.resolve();
  });
  while (calls < 4) await pause(5);
  const { samples, failures } = await caller.finish();
  expect(failures).toEqual(['refused']);
  expect(samples).toHaveLength(calls - 1);
});

test('a caller that is stopped makes no call that was due', async () => {
  let calls = 0;
  const caller = startCaller(5, () => {
    calls += 1;
    return pause(60);
  });
  await pause(30);
  await caller.stop();
  expect(calls).toBe(1);
});
