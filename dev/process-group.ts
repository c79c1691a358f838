import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../cli/error-code';
import { lookAtProcesses } from './proc';

const GONE_WITHIN_MS = 30_000;

/** Does nothing to a group that has ended. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    // EPERM: on macOS, a group of nothing but zombies.
    if (!['ESRCH', 'EPERM'].includes(String(errorCode(error)))) throw error;
  }
}

/** Whether a process of that group runs. */
export async function isRunning(group: number): Promise<boolean> {
  if (process.platform === 'linux') {
    const running = await lookAtProcesses((stat) =>
      Promise.resolve(stat.group === group && !stat.isOver ? stat : null),
    );
    return running.length > 0;
  }
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

/** @throws Error if something of it runs still after 30 s. */
export async function untilGone(group: number): Promise<void> {
  const until = Date.now() + GONE_WITHIN_MS;
  while (await isRunning(group)) {
    if (Date.now() > until) {
      throw new Error(`Something of process group ${group} runs ${GONE_WITHIN_MS / 1_000} s after it was killed.`);
    }
    await sleep(5);
  }
}
