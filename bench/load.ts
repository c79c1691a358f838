export interface LoadOptions {
  /** How many calls in all. */
  readonly total: number;
  /** How many callers there are. Each makes its next call when the one before is over. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

export interface Loaded {
  /** Of each call in milliseconds, by its index. */
  readonly durations: readonly number[];
  /** From the beginning of the first to the end of the last. */
  readonly wholeMs: number;
}

/**
 * Calls `act` so often, so many at once. After a rejection, or once the signal is aborted, no call begins any more: those under way are
 * waited for, and the first rejection is thrown.
 * @param act is told which call it is, from 0 on.
 */
export async function load(
  { total, concurrency, signal }: LoadOptions,
  act: (index: number) => Promise<void>,
): Promise<Loaded> {
  const durations = new Array<number>(total).fill(Number.NaN);
  const failures: unknown[] = [];
  let next = 0;
  const call = async (): Promise<void> => {
    while (next < total && failures.length === 0) {
      const index = next;
      next += 1;
      const begun = performance.now();
      try {
        signal.throwIfAborted();
        await act(index);
      } catch (error) {
        failures.push(error);
        return;
      }
      durations[index] = performance.now() - begun;
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: Math.min(concurrency, total) }, call));
  if (failures.length > 0) throw failures[0];
  return { durations, wholeMs: performance.now() - begun };
}
