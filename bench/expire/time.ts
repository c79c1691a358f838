import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until then; not at all if that has passed. Rejects when the signal says so. */
export async function until(instant: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const ms = instant - Date.now();
  if (ms > 0) await sleep(ms, undefined, { signal });
}
