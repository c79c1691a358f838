import { CancellationScope, condition, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { KeepingActivities, NotifyInput } from './contract';

/** Notices on their way. To each receiver one after the other, each tried until it arrives. */
export interface Outbox {
  add(notice: NotifyInput): void;
  /** Waits until all have arrived, or until `enough`. */
  empty(enough: () => boolean): Promise<void>;
  /** Stops sending and answers what has not arrived. */
  stop(): readonly NotifyInput[];
}

const keeping = proxyActivities<KeepingActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
});

export function createOutbox(unsent: readonly NotifyInput[]): Outbox {
  const waiting: NotifyInput[] = [];
  const busy = new Set<string>();
  const scope = new CancellationScope();

  const send = async (webhook: string): Promise<void> => {
    for (;;) {
      const next = waiting.find((notice) => notice.webhook === webhook);
      if (next === undefined) break;
      await keeping.notify(next);
      waiting.splice(waiting.indexOf(next), 1);
    }
    busy.delete(webhook);
  };

  const add = (notice: NotifyInput): void => {
    waiting.push(notice);
    if (busy.has(notice.webhook)) return;
    busy.add(notice.webhook);
    scope
      .run(() => send(notice.webhook))
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
  };

  unsent.forEach(add);
  return {
    add,
    empty: (enough) => condition(() => waiting.length === 0 || enough()),
    stop: () => {
      scope.cancel();
      return [...waiting];
    },
  };
}
