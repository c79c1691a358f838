import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, Operation, Plan } from './plan-types';

export interface PlayOptions {
  /** Answers whether there was anything to do it with. */
  readonly perform: (operation: Operation) => Promise<boolean>;
  readonly inject: (fault: Fault) => Promise<unknown>;
  /** Operations that may be under way at once; more wait, and the plan with them. */
  readonly most?: number;
}

/** How a plan is being kept. */
export interface Playing {
  /** Fulfilled when the last moment has begun. @throws what an operation or a fault threw, which none should. */
  readonly begun: Promise<void>;
  /** Fulfilled when everything that has begun is over. @throws as `begun`. */
  over(): Promise<void>;
  readonly open: () => number;
  /** By how much a moment was late at most, in milliseconds. */
  readonly latest: () => number;
  /** Operations for which there was no suitable lease. */
  readonly skipped: () => number;
}

const MOST_OPEN = 250;

/** Begins each moment when its time has come and waits for none of them. */
export function play(plan: Plan, { perform, inject, most = MOST_OPEN }: PlayOptions): Playing {
  const startedAt = performance.now();
  const open = new Set<Promise<void>>();
  const errors: unknown[] = [];
  let latest = 0;
  let skipped = 0;
  const failFirst = (): void => {
    if (errors.length > 0) throw errors[0];
  };
  const begin = (deed: Promise<unknown>): void => {
    const done = deed
      .then(
        (found) => void (skipped += found === false ? 1 : 0),
        (error: unknown) => void errors.push(error),
      )
      .finally(() => open.delete(done));
    open.add(done);
  };
  const run = async (): Promise<void> => {
    for (const { atMs, operation, fault } of plan) {
      // A timer of Node drops what is not a whole millisecond.
      await sleep(Math.ceil(Math.max(0, startedAt + atMs - performance.now())));
      while (open.size >= most) await Promise.race(open);
      failFirst();
      latest = Math.max(latest, performance.now() - startedAt - atMs);
      begin(operation === undefined ? inject(fault) : perform(operation));
    }
  };
  const begun = run();
  begun.catch(() => undefined);
  return {
    begun,
    over: async () => {
      while (open.size > 0) await Promise.race(open);
      failFirst();
    },
    open: () => open.size,
    latest: () => latest,
    skipped: () => skipped,
  };
}
