import type { Client } from '@temporalio/client';
import type { IntegrationType } from '../activities/integrations/integration';
import type { Config, IntegrationSettings } from '../config/load';
import type { LeaseCount } from '../telemetry/metrics';
import { buildQuery } from '../temporal/query';
import { CALL_TIMEOUT_MS } from '../temporal/service';
import { ATTRIBUTES } from '../workflows/contract';

/** Longer past its expiry than a removal takes when all is well. */
const OVERDUE_MS = 60_000;

/** Counts the live leases of each configured integration by Temporal's index, for the metrics: `active`, `stuck`, `overdue`. */
export async function countLeases(
  client: Client,
  config: Config,
  types: Readonly<Record<string, IntegrationType>>,
): Promise<readonly LeaseCount[]> {
  const count = async (query: string): Promise<number> =>
    (await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () => client.workflow.count(query))).count;
  const counts: LeaseCount[] = [];
  for (const [integration, settings] of Object.entries(config.integrations)) {
    const due = new Date(Date.now() - OVERDUE_MS - outlivesMs(settings, types[settings.type])).toISOString();
    const overdue = `${buildQuery({ integration, live: true })} AND ${ATTRIBUTES.expiresAt.name} < "${due}"`;
    counts.push(
      { integration, state: 'active', count: await count(buildQuery({ integration, state: 'active' })) },
      { integration, state: 'stuck', count: await count(buildQuery({ integration, state: 'stuck' })) },
      { integration, state: 'overdue', count: await count(overdue) },
    );
  }
  return counts;
}

/** How long a lease stays open after its expiry although all is well. */
function outlivesMs({ timings }: IntegrationSettings, type: IntegrationType | undefined): number {
  const own = type?.selfEnding?.(timings.issueTimeoutMs);
  if (type === undefined || own === undefined) return 0;
  return own.outlivesMs + (timings.consistencyWindowMs ?? type.consistencyWindowMs);
}
