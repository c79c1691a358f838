import type { Client } from '@temporalio/client';
import type { IntegrationType } from '../activities/integrations/integration';
import type { Config, IntegrationSettings } from '../config/load';
import type { LeaseCount } from '../telemetry/metrics';
import { summarise } from '../temporal/lease-summary';
import { buildQuery } from '../temporal/query';
import { CALL_TIMEOUT_MS } from '../temporal/service';
import { ATTRIBUTES } from '../workflows/contract';
import { findMissing } from './strays';

/** Longer past its expiry than a removal takes when all is well. */
const OVERDUE_MS = 60_000;
/** So many of the overdue leases are looked at for the oldest. */
const LOOKED_AT = 1_000;

const STATES = ['provisioning', 'active', 'deprovisioning', 'stuck'] as const;

/**
 * Counts the live leases of each configured integration by Temporal's index, for the metrics: by state, and as `overdue` those that
 * should have been gone for a minute, or are stuck, which is what becomes of a revoke that does not succeed long before the expiry.
 * Leases of an integration that has left the configuration are all overdue: nobody can remove what they made.
 */
export async function countLeases(
  client: Client,
  config: Config,
  types: Readonly<Record<string, IntegrationType>>,
): Promise<readonly LeaseCount[]> {
  const ask = <T>(question: () => Promise<T>): Promise<T> =>
    client.withDeadline(Date.now() + CALL_TIMEOUT_MS, question);
  const count = async (query: string): Promise<number> => (await ask(() => client.workflow.count(query))).count;
  const counts: LeaseCount[] = [];
  for (const [integration, settings] of Object.entries(config.integrations)) {
    const due = Date.now() - outlivesMs(settings, types[settings.type]);
    const late = new Date(due - OVERDUE_MS).toISOString();
    const isOver = `${ATTRIBUTES.expiresAt.name} < "${late}" OR ${ATTRIBUTES.state.name} = "stuck"`;
    const query = `${buildQuery({ integration, live: true })} AND (${isOver})`;
    const [overdue, ...live] = await Promise.all([
      count(query),
      ...STATES.map((state) => count(buildQuery({ integration, state }))),
    ]);
    counts.push(...STATES.map((state, index) => ({ integration, state, count: live[index] ?? 0 })));
    const oldestMs = overdue === 0 ? 0 : await ask(() => oldest(client, query, due));
    counts.push({ integration, state: 'overdue', count: overdue, oldestMs });
  }
  for (const [integration, found] of await ask(() => findMissing(client, config))) {
    counts.push({ integration, state: 'overdue', count: found });
  }
  return counts;
}

/** For how long the oldest lease that a query finds should have been gone. */
async function oldest(client: Client, query: string, due: number): Promise<number> {
  let longest = 0;
  let seen = 0;
  for await (const info of client.workflow.list({ query, pageSize: LOOKED_AT })) {
    const { expiresAt } = summarise(info);
    if (expiresAt !== null) longest = Math.max(longest, due - expiresAt.getTime());
    if ((seen += 1) === LOOKED_AT) break;
  }
  return longest;
}

/** How long a lease stays open after its expiry although all is well. */
function outlivesMs({ timings }: IntegrationSettings, type: IntegrationType | undefined): number {
  const own = type?.selfEnding?.(timings.issueTimeoutMs);
  if (type === undefined || own === undefined) return 0;
  return own.outlivesMs + (timings.consistencyWindowMs ?? type.consistencyWindowMs);
}
