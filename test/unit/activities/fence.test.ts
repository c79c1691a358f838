import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Context } from '@temporalio/activity';
import { guardAttempt } from '../../../activities/fence';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('an attempt is told when its time is over, whatever was tidied up meanwhile', async () => {
  const context = {
    info: { startToCloseTimeoutMs: 300, heartbeatTimeoutMs: 3_000 },
    cancellationSignal: new AbortController().signal,
    heartbeat: () => undefined,
  } as unknown as Context;
  const guard = guardAttempt(context, { deployment: 'testdepl', leaseId: 'a'.repeat(24) });
  await sleep(50);
  collectGarbage();
  expect(guard.attempt.fence.signal.aborted).toBe(false);
  await sleep(400);
  expect(guard.attempt.fence.signal.aborted).toBe(true);
  expect(guard.attempt.fence.holds()).toBe(false);
  guard.close();
});
