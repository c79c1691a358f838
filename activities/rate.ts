import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until another call may be made; rejects when the signal aborts first. */
export type Throttle = (signal: AbortSignal) => Promise<void>;

/**
 * Lets at most `perSecond` calls through each second, evenly spaced after a burst of one second's worth, in the order of
 * asking. Counts provider calls, which is what providers limit, not activities.
 */
export function createThrottle(perSecond: number): Throttle {
  const spacing = 1_000 / perSecond;
  const burst = Math.max(1, Math.floor(perSecond));
  let next = 0;
  return async (signal) => {
    signal.throwIfAborted();
    const now = performance.now();
    next = Math.max(next, now - burst * spacing) + spacing;
    const wait = next - now;
    if (wait <= 0) return;
    try {
      await sleep(wait, undefined, { signal });
    } catch (error) {
      // Who does not wait any more gives the turn back; else turns nobody takes would pile up.
      next -= spacing;
      throw error;
    }
  };
}
