import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../missing';

/** One call: when it was due, and how long after that it was answered. */
export interface Sample {
  /** In milliseconds of the epoch. */
  readonly at: number;
  readonly ms: number;
}

export interface Called {
  readonly samples: readonly Sample[];
  /** What calls failed of that are in no sample. */
  readonly failures: readonly string[];
}

export interface Caller {
  /** Waits for all calls that were due until now. */
  finish(): Promise<Called>;
  /** No more calls; waits for the one under way alone. */
  stop(): Promise<void>;
}

/**
 * Calls at this pace, one call after the other. One that the call before held up counts from the instant at which it was due: who
 * asks at a pace does not ask less because the answers come late.
 */
export function startCaller(everyMs: number, act: () => Promise<unknown>): Caller {
  const samples: Sample[] = [];
  const failures: string[] = [];
  const woken = new AbortController();
  const began = performance.now();
  const epoch = Date.now() - began;
  let until = Infinity;
  const calling = (async (): Promise<void> => {
    for (let due = began; due <= until; due += everyMs) {
      const wait = due - performance.now();
      if (wait > 0) await sleep(wait, undefined, { signal: woken.signal }).catch(() => undefined);
      if (due > until) return;
      try {
        await act();
        samples.push({ at: epoch + due, ms: performance.now() - due });
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
  })();
  const end = async (at: number): Promise<void> => {
    until = Math.min(until, at);
    woken.abort();
    await calling;
  };
  return {
    finish: async () => {
      await end(performance.now());
      return { samples, failures };
    },
    stop: () => end(-Infinity),
  };
}
