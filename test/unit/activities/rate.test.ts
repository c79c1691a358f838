import { createThrottle } from '../../../activities/rate';

const never = new AbortController().signal;

async function elapsed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

test('one second worth of calls goes through at once and the next waits its turn', async () => {
  const throttle = createThrottle(10);
  const burst = await elapsed(() => Promise.all(Array.from({ length: 10 }, () => throttle(never))));
  const next = await elapsed(() => Promise.all([throttle(never), throttle(never), throttle(never)]));
  expect(next).toBeGreaterThan(200 - burst);
});

test('less than one call a second is kept too', async () => {
  const throttle = createThrottle(0.5);
  await throttle(never);
  await expect(throttle(AbortSignal.timeout(50))).rejects.toThrow();
});

test('a cancelled attempt does not wait for its turn', async () => {
  const throttle = createThrottle(1);
  await throttle(never);
  const controller = new AbortController();
  const waiting = throttle(controller.signal);
  controller.abort();
  await expect(waiting).rejects.toThrow();
});
