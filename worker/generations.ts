import type { Logger } from '../telemetry/logger';
import type { LeaseWorker } from './worker';

/** The workers of one process, of which the latest takes new work and those before it finish theirs. */
export interface Generations {
  /** Works until it is stopped and everything that goes on has ended. Rejects if a worker ends without having been told to. */
  run(): Promise<void>;
  /** Has `next` take over; ends once it works. One that comes when all shall end takes up nothing. */
  replace(next: LeaseWorker): Promise<void>;
  /** Nothing new is taken up; what goes on may end. */
  stop(): void;
}

export function createGenerations(first: LeaseWorker, logger: Logger): Generations {
  let current = first;
  let isOver = false;
  let isStopped = false;
  let end: (result: Promise<void>) => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const running = new Set<Promise<void>>();

  const start = (worker: LeaseWorker): void => {
    const run = worker.run().catch((error: unknown) => {
      if (worker !== current) logger.error({ error }, 'A worker by the configuration before failed as it finished.');
      else if (isStopped)
        logger.warn({ error }, 'What did not end in time is left behind: another worker takes it up.');
      else throw error;
    });
    const watched: Promise<void> = run
      .catch(() => undefined)
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
      if (isOver || isStopped) {
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
    stop: () => {
      isStopped = true;
      current.shutdown();
    },
  };
}
