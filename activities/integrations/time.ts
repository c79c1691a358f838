import { setTimeout as sleep } from 'node:timers/promises';
import type { Attempt } from './integration';

/** How an attempt waits. Part of every integration's way to its provider. */
export interface AttemptTime {
  /** Waits, in milliseconds, but not beyond the attempt. */
  pause(milliseconds: number): Promise<void>;
  /** Milliseconds until the attempt is over. */
  remaining(): number;
}

export function timeOf({ fence, deadline }: Attempt): AttemptTime {
  return {
    async pause(milliseconds) {
      try {
        await sleep(milliseconds, undefined, { signal: fence.signal });
      } catch (error) {
        // What stopped the attempt, not that a timer was ended by it.
        fence.signal.throwIfAborted();
        throw error;
      }
    },
    remaining: () => deadline.getTime() - Date.now(),
  };
}
