import type { Client } from '@temporalio/client';
import type { Config } from '../config/load';
import { summarise } from '../temporal/lease-summary';
import { buildQuery } from '../temporal/query';
import { ATTRIBUTES } from '../workflows/contract';

/** Live leases of an integration that issues no more, or that the configuration does not have. */
export interface Stray {
  readonly integration: string;
  readonly why: 'missing' | 'retired';
  readonly leases: number;
}

/** Live leases that are looked through for integrations that have left the configuration. */
const LOOKED_THROUGH = 10_000;

/** What would be left behind if a retired integration were deleted, and what is left behind by one that was. */
export async function findStrays(client: Client, config: Config): Promise<readonly Stray[]> {
  const strays = new Map<string, number>();
  let seen = 0;
  for await (const info of client.workflow.list({ query: queryOf(config), pageSize: 1_000 })) {
    const { integration } = summarise(info);
    const settings = integration === null ? undefined : config.integrations[integration];
    if (integration !== null && settings?.retired !== false) {
      strays.set(integration, (strays.get(integration) ?? 0) + 1);
    }
    if ((seen += 1) === LOOKED_THROUGH) break;
  }
  return [...strays].map(([integration, leases]) => ({
    integration,
    why: config.integrations[integration] === undefined ? 'missing' : 'retired',
    leases,
  }));
}

/** So many integrations are told of by name, and so many live leases are looked through for them. */
const NAMED = 10;
const LOOKED_THROUGH_OFTEN = 1_000;

/** Live leases of integrations that the configuration does not have, by their names; for the metrics, so within bounds. */
export async function findMissing(client: Client, config: Config): Promise<ReadonlyMap<string, number>> {
  const missing = new Map<string, number>();
  const query = queryBut(Object.keys(config.integrations));
  let seen = 0;
  for await (const info of client.workflow.list({ query, pageSize: LOOKED_THROUGH_OFTEN })) {
    const { integration } = summarise(info);
    if (integration !== null && (missing.has(integration) || missing.size < NAMED)) {
      missing.set(integration, (missing.get(integration) ?? 0) + 1);
    }
    if ((seen += 1) === LOOKED_THROUGH_OFTEN) break;
  }
  return missing;
}

function queryOf({ integrations }: Config): string {
  const serving = Object.entries(integrations).filter(([, { retired }]) => !retired);
  return queryBut(serving.map(([name]) => name));
}

/** Live leases of others than these. Names of integrations need no quoting: the configuration allows a-z, 0-9 and hyphens in them. */
function queryBut(names: readonly string[]): string {
  const attribute = ATTRIBUTES.integration.name;
  const others = names.map((name) => `${attribute} != "${name}"`);
  return [buildQuery({ live: true }), `${attribute} IS NOT NULL`, ...others].join(' AND ');
}
