import { endsWithin } from './ends-within';

/** A question that scrapes have answered, and its last answer. */
export interface Remembered<T> {
  /** From now on this is asked. */
  readonly use: (question: () => Promise<T>) => void;
  /** Undefined: nobody said what to ask. Null: the question failed, or takes longer than a scrape may wait. */
  read(): Promise<T | null | undefined>;
}

const MIN_INTERVAL_MS = 15_000;
// Prometheus gives up after 10 s, and would then have nothing at all.
const MAX_WAIT_MS = 5_000;

/**
 * Asks one question at a time, at most every 15 seconds, and remembers the answer in between.
 * @param onFailure called once for each question that failed.
 */
export function createRemembered<T>(onFailure: () => void): Remembered<T> {
  let question: (() => Promise<T>) | undefined;
  let asking: Promise<void> | undefined;
  let askedAt = -Infinity;
  let known: T | null = null;

  async function ask(current: () => Promise<T>): Promise<void> {
    askedAt = performance.now();
    try {
      known = await current();
    } catch {
      known = null;
      onFailure();
    } finally {
      asking = undefined;
    }
  }

  return {
    use: (next) => {
      question = next;
    },
    read: async () => {
      if (question === undefined) return undefined;
      if (asking === undefined && performance.now() - askedAt >= MIN_INTERVAL_MS) asking = ask(question);
      if (asking === undefined) return known;
      return (await endsWithin(asking, MAX_WAIT_MS)) ? known : null;
    },
  };
}
