import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger';
import { CALL_TIMEOUT_MS, explainFailure } from '../temporal/service';

/** Something that a worker sees to beside its tasks, for all workers of the namespace. Idempotent. */
export interface Duty {
  /** Begins the sentence that says that it could not be done. */
  readonly what: string;
  /** Whether once done is enough. */
  readonly once: boolean;
  act(): Promise<void>;
}

const EVERY_MS = 60_000;

/**
 * Does the duties now and every minute. None of them keeps a worker from removing credentials: one that cannot be done is told in
 * the log and tried again.
 */
export function startOversight(duties: readonly Duty[], logger: Logger): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;

  const isStopping = (): boolean => signal.aborted;
  const keep = async (duty: Duty): Promise<void> => {
    while (!isStopping()) {
      try {
        await Promise.race([duty.act(), late(signal)]);
        if (duty.once) return;
      } catch (error) {
        if (isStopping()) return;
        const why = error instanceof Late ? error.message : explainFailure(error);
        logger.error(`${duty.what} could not be seen to, which is tried again every minute. ${why}`);
      }
      await sleep(EVERY_MS * (0.9 + Math.random() * 0.2), undefined, { signal }).catch(() => undefined);
    }
  };

  const running = duties.map(keep);
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

/** Rejects when the worker stops, or when it has taken far too long. */
async function late(signal: AbortSignal): Promise<never> {
  await sleep(4 * CALL_TIMEOUT_MS, undefined, { signal });
  throw new Late('It took longer than a minute.');
}

class Late extends Error {
  override readonly name = 'Late';
}
