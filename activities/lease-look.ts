import type { Client } from '@temporalio/client';
import { summarise } from '../temporal/lease-summary';
import { buildQuery, matches } from '../temporal/query';
import type { LeaseQuery } from '../temporal/query';
import { ATTRIBUTES } from '../workflows/contract';
import { isRunning } from './running';

/** What Temporal says of leases that are planned. Each thing is asked once, however many decisions are made by it. */
export interface LeaseLook {
  /** How many the index has. */
  count(query: LeaseQuery): Promise<number>;
  /** Their ids, as the index has them. */
  list(query: LeaseQuery): Promise<readonly string[]>;
  /** How many of these have not ended, by the server itself: all of them, or `enough` at least. */
  countRunning(leaseIds: readonly string[], enough: number): Promise<number>;
}

/** For a list that is as long as it may be. */
const PAGE = 1_000;
/** Leases that are asked about at the same time. */
const ASKED_AT_ONCE = 8;

export function openLook(client: Client): LeaseLook {
  const counts = new Map<string, Promise<number>>();
  const lists = new Map<string, Promise<readonly string[]>>();
  const running = new Map<string, Promise<boolean>>();
  const planned = (query: LeaseQuery): string => `${buildQuery(query)} AND ${ATTRIBUTES.integration.name} IS NOT NULL`;

  const list = async (query: LeaseQuery): Promise<readonly string[]> => {
    const ids: string[] = [];
    for await (const info of client.workflow.list({ query: planned(query), pageSize: PAGE })) {
      const lease = summarise(info);
      if (matches(lease, query)) ids.push(lease.leaseId);
    }
    return ids;
  };

  return {
    count: (query) =>
      once(counts, JSON.stringify(query), async () => (await client.workflow.count(planned(query))).count),
    list: (query) => once(lists, JSON.stringify(query), () => list(query)),
    countRunning: async (leaseIds, enough) => {
      let found = 0;
      for (let from = 0; from < leaseIds.length && found < enough; from += ASKED_AT_ONCE) {
        const asked = leaseIds.slice(from, from + ASKED_AT_ONCE);
        const answers = await Promise.all(asked.map((id) => once(running, id, () => isRunning(client, id))));
        found += answers.filter((answer) => answer).length;
      }
      return found;
    },
  };
}

function once<T>(answers: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const answer = answers.get(key) ?? ask();
  answers.set(key, answer);
  return answer;
}
