import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  isCancellation,
  proxyActivities,
} from '@temporalio/workflow';
import type { KeepingActivities, Outgoing } from './contract';
import { insist } from './insist';

/** Notices and audit lines on their way. To each receiver one after the other, each tried until it arrives. */
export interface Outbox {
  /** A notice that waits for a receiver that is away gives way to what is newer, in the end; an audit line never does. */
  add(item: Outgoing): void;
  /** Waits until all have arrived, or until `enough`. */
  empty(enough: () => boolean): Promise<void>;
  /** Stops sending and answers what has not arrived. */
  stop(): Promise<readonly Outgoing[]>;
}

/** Notices that one receiver may be behind. Nobody who comes back wants to read more, and they are carried in a payload. */
const MAX_WAITING = 20;

const keeping = proxyActivities<KeepingActivities>({
  startToCloseTimeout: '30s',
  // A notice on its way is let arrive, so that the next run does not send it again.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
});

export function createOutbox(unsent: readonly Outgoing[]): Outbox {
  const waiting: Outgoing[] = [];
  const busy = new Map<string, Promise<void>>();
  const scope = new CancellationScope();

  const send = async (receiver: string): Promise<void> => {
    for (;;) {
      const next = waiting.find((item) => receiverOf(item) === receiver);
      if (next === undefined) break;
      await insist(() => ('notice' in next ? keeping.notify(next.notice) : keeping.record(next.record)));
      waiting.splice(waiting.indexOf(next), 1);
    }
    busy.delete(receiver);
  };

  const add = (item: Outgoing): void => {
    const receiver = receiverOf(item);
    const behind = waiting.filter((other) => receiverOf(other) === receiver);
    // Not the first: that one is being sent.
    if ('notice' in item && behind.length >= MAX_WAITING) waiting.splice(waiting.indexOf(behind[1] ?? item), 1);
    waiting.push(item);
    if (busy.has(receiver)) return;
    const sending = scope
      .run(() => send(receiver))
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
    busy.set(receiver, sending);
  };

  unsent.forEach(add);
  return {
    add,
    empty: (enough) => condition(() => waiting.length === 0 || enough()),
    stop: async () => {
      scope.cancel();
      await Promise.all(busy.values());
      return [...waiting];
    },
  };
}

function receiverOf(item: Outgoing): string {
  return 'notice' in item ? `webhook ${item.notice.webhook}` : 'audit';
}
