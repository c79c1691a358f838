import type { Client } from '@temporalio/client';
import type { Config } from '../config/load';
import type { LeaseCount } from '../telemetry/metrics';
import { buildQuery } from '../temporal/query';
import { CALL_TIMEOUT_MS } from '../temporal/service';
import { ATTRIBUTES } from '../workflows/contract';

/** Longer past its expiry than a removal takes when all is well. */
const OVERDUE_MS = 60_000;

/** Counts the live leases of each configured integration by Temporal's index, for the metrics: `active`, `stuck`, `overdue`. */
export async function countLeases(client: Client, config: Config): Promise<readonly LeaseCount[]> {
  const count = async (query: string): Promise<number> =>
    (await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () => client.workflow.count(query))).count;
  const due = new Date(Date.now() - OVERDUE_MS).toISOString();
  const counts: LeaseCount[] = [];
  for (const integration of Object.keys(config.integrations)) {
    const overdue = `${buildQuery({ integration, live: true })} AND ${ATTRIBUTES.expiresAt.name} < "${due}"`;
    counts.push(
      { integration, state: 'active', count: await count(buildQuery({ integration, state: 'active' })) },
      { integration, state: 'stuck', count: await count(buildQuery({ integration, state: 'stuck' })) },
      { integration, state: 'overdue', count: await count(overdue) },
    );
  }
  return counts;
}
