import type { Operation } from './routes';

export interface RateLimit {
  /** How many requests are answered in each period. */
  readonly limit: number;
  readonly periodSeconds: number;
  /** What it counts. Default: every operation. */
  readonly operations?: readonly Operation[];
  readonly name?: string;
}

export interface RateLimiter {
  /** Starts counting anew. undefined: without a limit, as at the start. */
  set(limit: RateLimit | undefined): void;
  /** Counts a request. `headers`: what its answer says of the limit. */
  count(operation: Operation): { readonly isOver: boolean; readonly headers: Readonly<Record<string, string>> };
}

export function createRateLimiter(): RateLimiter {
  let rate: RateLimit | undefined;
  let endsAt = 0;
  let used = 0;

  return {
    set: (limit) => {
      rate = limit;
      endsAt = 0;
    },
    count: (operation) => {
      if (rate === undefined || rate.operations?.includes(operation) === false) return { isOver: false, headers: {} };
      const now = Date.now();
      if (now >= endsAt) {
        endsAt = now + rate.periodSeconds * 1_000;
        used = 0;
      }
      used += 1;
      const headers = {
        'x-ratelimit-limit': String(rate.limit),
        'x-ratelimit-period': String(rate.periodSeconds),
        'x-ratelimit-remaining': String(Math.max(0, rate.limit - used)),
        'x-ratelimit-reset': String(Math.ceil((endsAt - now) / 1_000)),
        'x-ratelimit-name': rate.name ?? 'key_management',
      };
      return { isOver: used > rate.limit, headers };
    },
  };
}
