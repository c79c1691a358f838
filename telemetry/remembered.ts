import { endsWithin } from './ends-within';

/** A question that scrapes have answered, and its last answer. */
export interface Remembered<T> {
  /** From now on this is asked. */
  readonly use: (question: () => Promise<T>) => void;
  /**
   * Undefined: nobody said what to ask. Null: the question failed, or it takes longer than a scrape may wait and there is no
   * earlier answer that is true enough.
   */
  read(): Promise<T | null | undefined>;
}

const MIN_INTERVAL_MS = 15_000;
// Prometheus gives up after 10 s, and would then have nothing at all.
const MAX_WAIT_MS = 5_000;
// Else a gauge comes and goes by whether an answer took a little less than that or a little more, and alerts begin anew each time.
const TRUE_FOR_MS = 60_000;

/**
 * Asks one question at a time, at most every 15 seconds, and remembers the answer in between. While the next answer is awaited for
 * longer than a scrape may wait, the last one stands until it is a minute old.
 * @param onFailure called once for each question that failed, or for which a scrape would not wait.
 */
export function createRemembered<T>(onFailure: () => void): Remembered<T> {
  let question: (() => Promise<T>) | undefined;
  let asking: { readonly answered: Promise<void>; isSlow: boolean } | undefined;
  let askedAt = -Infinity;
  let known: { readonly answer: T; readonly at: number } | null = null;

  async function ask(current: () => Promise<T>): Promise<void> {
    askedAt = performance.now();
    try {
      known = { answer: await current(), at: performance.now() };
    } catch {
      known = null;
      if (asking?.isSlow !== true) onFailure();
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
      if (asking === undefined && performance.now() - askedAt >= MIN_INTERVAL_MS) {
        asking = { answered: ask(question), isSlow: false };
      }
      const awaited = asking;
      if (awaited === undefined || (await endsWithin(awaited.answered, MAX_WAIT_MS))) return known?.answer ?? null;
      if (!awaited.isSlow) onFailure();
      awaited.isSlow = true;
      return known !== null && performance.now() - known.at <= TRUE_FOR_MS ? known.answer : null;
    },
  };
}
