import { setTimeout as sleep } from 'node:timers/promises';

/** One call: when it began, and how long it took. */
export interface Sample {
  readonly at: number;
  readonly ms: number;
}

export interface Caller {
  /** No more calls; waits for the one under way. Rejects if one has failed: from then on nothing was measured. */
  stop(): Promise<readonly Sample[]>;
}

/** Calls at this pace; later if the answer before has not come yet. */
export function startCaller(everyMs: number, act: () => Promise<unknown>): Caller {
  const ended = new AbortController();
  const samples: Sample[] = [];
  const calling = (async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const at = Date.now();
      const begun = performance.now();
      await act();
      const ms = performance.now() - begun;
      samples.push({ at, ms });
      await sleep(Math.max(0, everyMs - ms), undefined, { signal: ended.signal }).catch(() => undefined);
    }
  })();
  // It is told by `stop`, and must not end the process before.
  calling.catch(() => undefined);
  return {
    stop: async () => {
      ended.abort();
      await calling;
      return samples;
    },
  };
}
