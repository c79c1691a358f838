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
export async function findStrays(client: Client, { integrations }: Config): Promise<readonly Stray[]> {
  const serving = Object.entries(integrations).filter(([, { retired }]) => !retired);
  const names = serving.map(([name]) => name);
  return [...(await countOthers(client, names, LOOKED_THROUGH))].map(([integration, leases]) => ({
    integration,
    why: integrations[integration] === undefined ? 'missing' : 'retired',
    leases,
  }));
}

/** So many integrations are told of by name, and so many live leases are looked through for them. */
const NAMED = 10;
const LOOKED_THROUGH_OFTEN = 1_000;

/** Live leases of integrations that the configuration does not have, by their names; for the metrics, so within bounds. */
export function findMissing(client: Client, { integrations }: Config): Promise<ReadonlyMap<string, number>> {
  return countOthers(client, Object.keys(integrations), LOOKED_THROUGH_OFTEN, NAMED);
}

/**
 * Live leases of other integrations than these, by their names.
 * @param most leases that are looked through.
 * @param named integrations that are told of.
 */
async function countOthers(
  client: Client,
  names: readonly string[],
  most: number,
  named = Infinity,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  let seen = 0;
  for await (const info of client.workflow.list({ query: queryBut(names), pageSize: 1_000 })) {
    const { integration } = summarise(info);
    if (integration !== null && (counts.has(integration) || counts.size < named)) {
      counts.set(integration, (counts.get(integration) ?? 0) + 1);
    }
    if ((seen += 1) === most) break;
  }
  return counts;
}

/** Live leases of others than these. Names of integrations need no quoting: the configuration allows a-z, 0-9 and hyphens in them. */
function queryBut(names: readonly string[]): string {
  const attribute = ATTRIBUTES.integration.name;
  const others = names.map((name) => `${attribute} != "${name}"`);
  return [buildQuery({ live: true }), `${attribute} IS NOT NULL`, ...others].join(' AND ');
}
