import type { Client } from '@temporalio/client';
import type { DynamicSecret } from '../config/load';
import type { LeaseQuery } from '../temporal/query';
import type { LeaseInput } from '../workflows/contract';
import { refuse } from './failures';
import { openLook } from './lease-look';
import type { LeaseLook } from './lease-look';

/** Holds live leases to the limits of their dynamic secret. */
export interface Admission {
  /**
   * Lets a lease in if fewer others live than may. Decides one after the other for each dynamic secret, so that of those asked
   * for at once no more than may are let in. Temporal's index lags by a moment: what another process let in within it is not
   * counted.
   * @param signal of the attempt: its turn is left out when it is over.
   * @throws ApplicationFailure `QuotaExceeded`
   */
  admit(leaseId: string, input: LeaseInput, dynamicSecret: DynamicSecret, signal: AbortSignal): Promise<void>;
}

interface Admitted {
  readonly leaseId: string;
  readonly input: LeaseInput;
  readonly at: number;
}

interface Limit {
  readonly most: number;
  readonly query: LeaseQuery;
  /** Begins the sentence that refuses. */
  readonly whose: string;
}

/** A lease that waits for its turn. */
interface Waiting {
  readonly leaseId: string;
  readonly input: LeaseInput;
  readonly limits: readonly Limit[];
  readonly signal: AbortSignal;
  readonly answer: (decision: Promise<Limit | null>) => void;
}

/** Longer than the index lags. */
const REMEMBERED_MS = 10_000;
/** A lease that has just ended may still be listed. Up to so many are asked about one by one before another is refused. */
const VERIFIED = 50;
/** Above so many the index is only asked how many there are, not which: the latest may be counted twice for a moment. */
const LISTED = 1_000;
/** Below what an attempt to plan may take: nobody waits for an answer that comes later. */
const LOOK_TIMEOUT_MS = 4_000;

export function createAdmission(client: Client): Admission {
  const recent = new Map<string, Admitted>();
  /** By dynamic secret, while leases of it are decided. */
  const queues = new Map<string, Waiting[]>();

  const forget = (): void => {
    const oldest = performance.now() - REMEMBERED_MS;
    for (const [leaseId, { at }] of recent) if (at < oldest) recent.delete(leaseId);
  };

  const isFull = async (leaseId: string, { most, query }: Limit, look: LeaseLook): Promise<boolean> => {
    const unlisted = [...recent.values()].filter((other) => other.leaseId !== leaseId && isMeant(other.input, query));
    if ((await look.count(query)) + unlisted.length < most) return false;
    if (most > LISTED) return true;
    const listed = new Set(await look.list(query));
    listed.delete(leaseId);
    const others = unlisted.map((other) => other.leaseId).filter((id) => !listed.has(id));
    if (most > VERIFIED) return listed.size + (await look.countRunning(others, most - listed.size)) >= most;
    return (await look.countRunning([...listed, ...others], most)) >= most;
  };

  /** Answers the limit that is reached; null: the lease is let in. */
  const decide = async ({ leaseId, input, limits, signal }: Waiting, look: LeaseLook): Promise<Limit | null> => {
    signal.throwIfAborted();
    for (const limit of limits) if (await isFull(leaseId, limit, look)) return limit;
    recent.set(leaseId, { leaseId, input, at: performance.now() });
    return null;
  };

  /**
   * All that wait are decided by one look, begun after they came: each holds one of the few places for workflow tasks, and a flood of
   * them at a limit that is reached must not have the removals of others wait while Temporal is asked the same again for each.
   */
  const takeTurns = async (key: string, queue: Waiting[]): Promise<void> => {
    while (queue.length > 0) {
      forget();
      const look = openLook(client);
      const deadline = Date.now() + LOOK_TIMEOUT_MS;
      for (const waiting of queue.splice(0)) {
        const decision = client.withDeadline(deadline, () => decide(waiting, look));
        waiting.answer(decision);
        await decision.catch(() => undefined);
      }
    }
    queues.delete(key);
  };

  const waitForTurn = (key: string, lease: Omit<Waiting, 'answer'>): Promise<Limit | null> =>
    new Promise((answer) => {
      const waiting = { ...lease, answer };
      const queue = queues.get(key);
      if (queue !== undefined) {
        queue.push(waiting);
        return;
      }
      const own = [waiting];
      queues.set(key, own);
      void takeTurns(key, own);
    });

  return {
    admit: async (leaseId, input, dynamicSecret, signal) => {
      const limits = limitsOf(input, dynamicSecret);
      if (limits.length === 0) return;
      const { project, config, dynamicSecret: name } = input;
      const reached = await waitForTurn(`${project}/${config}/${name}`, { leaseId, input, limits, signal });
      if (reached === null) return;
      throw refuse(
        'QuotaExceeded',
        `${reached.whose} ${String(reached.most)} live leases of ${name}, and all are taken. Revoke one, or wait until one ends.`,
      );
    },
  };
}

/** The holder's own first: who has reached it shall not be told of the others. */
function limitsOf(input: LeaseInput, { maxLeases, maxLeasesPerHolder }: DynamicSecret): readonly Limit[] {
  const { project, config, dynamicSecret, holder } = input;
  const query = {
    project,
    config,
    dynamicSecret,
    state: ['provisioning', 'active', 'deprovisioning', 'stuck'],
  } as const;
  return [
    ...(maxLeasesPerHolder === null
      ? []
      : [{ most: maxLeasesPerHolder, query: { ...query, holder }, whose: 'A holder may have' }]),
    ...(maxLeases === null ? [] : [{ most: maxLeases, query, whose: 'There may be' }]),
  ];
}

function isMeant(input: LeaseInput, query: LeaseQuery): boolean {
  return (['project', 'config', 'dynamicSecret', 'holder'] as const).every(
    (field) => query[field] === undefined || query[field] === input[field],
  );
}
