import { setTimeout as sleep } from 'node:timers/promises';
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
/** A lease that has just ended may still be listed: a full house is believed when it was seen twice, this far apart. */
const LOOK_AGAIN_MS = 1_000;
/** Above so many the index is only asked how many there are, not which: the latest may be counted twice for a moment. */
const LISTED = 1_000;
/** Below what an attempt to plan may take: nobody waits for an answer that comes later. */
const LOOK_TIMEOUT_MS = 4_000;

export function createAdmission(client: Client): Admission {
  const recent = new Map<string, Admitted>();
  const turns = new Map<string, Promise<unknown>>();
  /** When a limit was last seen to be reached. */
  const full = new Map<string, number>();

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
    for (const [key, at] of full) if (at < oldest) full.delete(key);
  };

  const isFull = async (leaseId: string, { most, query }: Limit): Promise<boolean> => {
    const unlisted = [...recent.values()].filter((other) => other.leaseId !== leaseId && isMeant(other.input, query));
    const planned = `${buildQuery(query)} AND ${ATTRIBUTES.integration.name} IS NOT NULL`;
    const { count } = await client.workflow.count(planned);
    if (count + unlisted.length < most) return false;
    if (most > LISTED) return true;
    const living = new Set<string>();
    for await (const info of client.workflow.list({ query: planned, pageSize: LISTED })) {
      const other = summarise(info);
      if (matches(other, query) && other.leaseId !== leaseId) living.add(other.leaseId);
      if (living.size >= most) return true;
    }
    for (const other of unlisted) {
      if (!living.has(other.leaseId) && (await isRunning(client, other.leaseId))) living.add(other.leaseId);
      if (living.size >= most) return true;
    }
    return false;
  };

  /** Answers the limit that is reached; null: the lease is let in. */
  const decide = async (leaseId: string, input: LeaseInput, limits: readonly Limit[]): Promise<Limit | null> => {
    forget();
    for (const limit of limits) {
      if (await isFull(leaseId, limit)) {
        full.set(keyOf(limit), performance.now());
        return limit;
      }
    }
    recent.set(leaseId, { leaseId, input, at: performance.now() });
    return null;
  };

  return {
    admit: async (leaseId, input, dynamicSecret, signal) => {
      const limits = limitsOf(input, dynamicSecret);
      if (limits.length === 0) return;
      const { project, config, dynamicSecret: name } = input;
      const look = (): Promise<Limit | null> =>
        inTurn(`${project}/${config}/${name}`, () => {
          signal.throwIfAborted();
          return client.withDeadline(Date.now() + LOOK_TIMEOUT_MS, () => decide(leaseId, input, limits));
        });
      // Who comes while it is known to be full looks once: a crowd must not keep the turn from who may be let in.
      const isKnown = limits.some(
        (limit) => performance.now() - (full.get(keyOf(limit)) ?? -LOOK_AGAIN_MS) < LOOK_AGAIN_MS,
      );
      if (!isKnown && (await look()) === null) return;
      await sleep(LOOK_AGAIN_MS, undefined, { signal });
      const reached = await look();
      if (reached === null) return;
      throw refuse(
        'QuotaExceeded',
        `${reached.whose} ${String(reached.most)} live leases of ${name}, and all are taken. Revoke one, or wait until one ends.`,
      );
    },
  };
}

function keyOf({ query }: Limit): string {
  return JSON.stringify(query);
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
