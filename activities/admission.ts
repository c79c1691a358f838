import type { Client } from '@temporalio/client';
import type { DynamicSecret } from '../config/load';
import { summarise } from '../temporal/lease-summary';
import { buildQuery, matches } from '../temporal/query';
import type { LeaseQuery } from '../temporal/query';
import { ATTRIBUTES } from '../workflows/contract';
import type { LeaseInput } from '../workflows/contract';
import { refuse } from './failures';
import { isRunning } from './running';

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
  const turns = new Map<string, Promise<unknown>>();

  const inTurn = <T>(key: string, act: () => Promise<T>): Promise<T> => {
    const turn = (turns.get(key) ?? Promise.resolve()).then(act);
    const settled = turn.catch(() => undefined);
    turns.set(key, settled);
    void settled.then(() => {
      if (turns.get(key) === settled) turns.delete(key);
    });
    return turn;
  };

  const forget = (): void => {
    const oldest = performance.now() - REMEMBERED_MS;
    for (const [leaseId, { at }] of recent) if (at < oldest) recent.delete(leaseId);
  };

  const isFull = async (leaseId: string, { most, query }: Limit): Promise<boolean> => {
    const unlisted = [...recent.values()].filter((other) => other.leaseId !== leaseId && isMeant(other.input, query));
    const planned = `${buildQuery(query)} AND ${ATTRIBUTES.integration.name} IS NOT NULL`;
    const { count } = await client.workflow.count(planned);
    if (count + unlisted.length < most) return false;
    if (most > LISTED) return true;
    const listed = new Set<string>();
    for await (const info of client.workflow.list({ query: planned, pageSize: LISTED })) {
      const other = summarise(info);
      if (matches(other, query) && other.leaseId !== leaseId) listed.add(other.leaseId);
    }
    const others = unlisted.map((other) => other.leaseId).filter((id) => !listed.has(id));
    const isBelieved = most > VERIFIED;
    let running = isBelieved ? listed.size : 0;
    for (const id of isBelieved ? others : [...listed, ...others]) {
      if (running >= most) return true;
      if (await isRunning(client, id)) running += 1;
    }
    return running >= most;
  };

  /** Answers the limit that is reached; null: the lease is let in. */
  const decide = async (leaseId: string, input: LeaseInput, limits: readonly Limit[]): Promise<Limit | null> => {
    forget();
    for (const limit of limits) if (await isFull(leaseId, limit)) return limit;
    recent.set(leaseId, { leaseId, input, at: performance.now() });
    return null;
  };

  return {
    admit: async (leaseId, input, dynamicSecret, signal) => {
      const limits = limitsOf(input, dynamicSecret);
      if (limits.length === 0) return;
      const { project, config, dynamicSecret: name } = input;
      const reached = await inTurn(`${project}/${config}/${name}`, () => {
        signal.throwIfAborted();
        return client.withDeadline(Date.now() + LOOK_TIMEOUT_MS, () => decide(leaseId, input, limits));
      });
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
