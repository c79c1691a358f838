import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningProcess } from '../dev/process';
import { isRunning } from './usage';

const GONE_WITHIN_MS = 30_000;

/**
 * kill -9, and waits until nothing of its process group runs: what is started in its place finds the port and the files free. The
 * shell that watches over a program is gone before one that has much memory to give back.
 * @throws Error if something of it runs still.
 */
export async function killWhole(running: RunningProcess): Promise<void> {
  await running.kill();
  const until = Date.now() + GONE_WITHIN_MS;
  while (await isRunning(running.pid)) {
    if (Date.now() > until) {
      throw new Error(
        `Something of process group ${running.pid} runs ${GONE_WITHIN_MS / 1_000} s after it was killed.`,
      );
    }
    await sleep(5);
  }
}
