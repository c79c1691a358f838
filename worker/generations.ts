import type { Logger } from '../telemetry/logger';
import type { LeaseWorker } from './worker';

/** The workers of one process, of which the latest takes new work and those before it finish theirs. */
export interface Generations {
  /** Works until the process is asked to stop and everything that goes on has ended. */
  run(): Promise<void>;
  /** Has `next` take over; ends once it works. One that comes when the process is about to end takes up nothing. */
  replace(next: LeaseWorker): Promise<void>;
}

export function createGenerations(first: LeaseWorker, logger: Logger): Generations {
  let current = first;
  let isOver = false;
  let end: (result: Promise<void>) => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const running = new Set<Promise<void>>();

  const start = (worker: LeaseWorker): void => {
    const run = worker.run();
    const watched: Promise<void> = run
      .catch((error: unknown) => {
        if (worker !== current) logger.error({ error }, 'A worker by the configuration before failed as it finished.');
      })
      .then(() => {
        running.delete(watched);
        if (worker !== current) return;
        isOver = true;
        end(run);
      });
    running.add(watched);
  };

  return {
    run: async () => {
      start(first);
      try {
        await ended;
      } finally {
        await Promise.all(running);
      }
    },
    replace: async (next) => {
      if (isOver) {
        const run = next.run();
        next.shutdown();
        await run;
        return;
      }
      const before = current;
      current = next;
      start(next);
      // Not earlier: at each moment somebody takes new work.
      before.shutdown();
    },
  };
}
