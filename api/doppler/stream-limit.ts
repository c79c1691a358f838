import { ApiError } from '../errors';

/** How many streams are open: each keeps a connection, and is looked after, for as long as its client likes. */
export interface StreamLimit {
  /**
   * Lets one more in.
   * @returns what is to be called once it is closed.
   * @throws ApiError 429 `rate_limited` if there are too many, of this asker or in all.
   */
  enter(asker: string): () => void;
}

const MAX_OF_ONE = 50;
const MAX_IN_ALL = 2_000;
const RETRY_AFTER_SECONDS = 30;

export function createStreamLimit(maxOfOne = MAX_OF_ONE, maxInAll = MAX_IN_ALL): StreamLimit {
  const counts = new Map<string, number>();
  let inAll = 0;

  return {
    enter: (asker) => {
      const count = counts.get(asker) ?? 0;
      if (count >= maxOfOne) {
        throw tooMany(`This token has ${maxOfOne} streams open, and no more are served at once. Close one first.`);
      }
      if (inAll >= maxInAll) {
        throw tooMany(`This process has ${maxInAll} streams open and serves no more. Try again later.`);
      }
      counts.set(asker, count + 1);
      inAll += 1;
      return () => {
        const left = (counts.get(asker) ?? 1) - 1;
        if (left > 0) counts.set(asker, left);
        else counts.delete(asker);
        inAll -= 1;
      };
    },
  };
}

function tooMany(message: string): ApiError {
  return new ApiError(429, 'rate_limited', message, {}, RETRY_AFTER_SECONDS);
}
