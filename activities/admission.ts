import { WorkflowNotFoundError } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import type { DynamicSecret } from '../config/load';
import { summarise } from '../temporal/lease-summary';
import { buildQuery, matches } from '../temporal/query';
import type { LeaseQuery } from '../temporal/query';
import type { LeaseInput } from '../workflows/contract';
import { refuse } from './failures';

/** Holds live leases to the limits of their dynamic secret. */
export interface Admission {
  /**
   * Counts the live leases that were started before this one, so that of those requested at once the first are let in.
   * Temporal's index lags by a moment: what another worker process let in within it is not counted.
   * @throws ApplicationFailure `QuotaExceeded`
   */
  admit(lease: StartedLease, dynamicSecret: DynamicSecret): Promise<void>;
}

export interface StartedLease {
  readonly leaseId: string;
  readonly startedAt: Date;
  readonly input: LeaseInput;
}

/** Longer than the index lags. */
const REMEMBERED_MS = 10_000;

export function createAdmission(client: Client): Admission {
  const recent = new Map<string, StartedLease & { readonly seenAt: number }>();

  const forget = (): void => {
    const oldest = performance.now() - REMEMBERED_MS;
    for (const [leaseId, { seenAt }] of recent) if (seenAt < oldest) recent.delete(leaseId);
  };

  const check = async (lease: StartedLease, query: LeaseQuery, limit: number, whose: string): Promise<void> => {
    const unlisted = [...recent.values()].filter(
      (other) => isEarlier(other, lease) && isMeant(other.input, query) && other.leaseId !== lease.leaseId,
    );
    const { count } = await client.workflow.count(buildQuery(query));
    if (count + unlisted.length <= limit) return;
    const earlier = await findEarlier(client, lease, query, limit);
    for (const { leaseId } of unlisted) {
      if (earlier.size < limit && !earlier.has(leaseId) && (await isRunning(client, leaseId))) earlier.add(leaseId);
    }
    if (earlier.size < limit) return;
    throw refuse(
      'QuotaExceeded',
      `${whose} ${String(limit)} live leases of ${lease.input.dynamicSecret}, and all are taken. Revoke one, or wait until one ends.`,
    );
  };

  return {
    admit: async (lease, { maxLeases, maxLeasesPerHolder }) => {
      if (maxLeases === null && maxLeasesPerHolder === null) return;
      forget();
      recent.set(lease.leaseId, { ...lease, seenAt: performance.now() });
      const { project, config, dynamicSecret, holder } = lease.input;
      const query = { project, config, dynamicSecret, live: true };
      if (maxLeases !== null) await check(lease, query, maxLeases, 'There may be');
      if (maxLeasesPerHolder !== null) {
        await check(lease, { ...query, holder }, maxLeasesPerHolder, 'A holder may have');
      }
    },
  };
}

/** Ids of live leases from before this one; not more than are needed to refuse it. */
async function findEarlier(
  client: Client,
  lease: StartedLease,
  query: LeaseQuery,
  limit: number,
): Promise<Set<string>> {
  const earlier = new Set<string>();
  for await (const info of client.workflow.list({ query: buildQuery(query), pageSize: Math.min(limit + 10, 1_000) })) {
    const other = summarise(info);
    const started = { leaseId: other.leaseId, startedAt: other.requestedAt };
    if (matches(other, query) && isEarlier(started, lease)) earlier.add(other.leaseId);
    if (earlier.size === limit) break;
  }
  return earlier;
}

async function isRunning(client: Client, leaseId: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(leaseId).describe()).closeTime === undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

function isEarlier(a: Omit<StartedLease, 'input'>, b: Omit<StartedLease, 'input'>): boolean {
  const difference = a.startedAt.getTime() - b.startedAt.getTime();
  return difference < 0 || (difference === 0 && a.leaseId < b.leaseId);
}

function isMeant(input: LeaseInput, query: LeaseQuery): boolean {
  return (['project', 'config', 'dynamicSecret', 'holder'] as const).every(
    (field) => query[field] === undefined || query[field] === input[field],
  );
}
