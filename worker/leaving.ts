import { Client } from '@temporalio/client';
import type { Config } from '../config/load';
import { connect } from '../temporal/connection';
import { CALL_TIMEOUT_MS } from '../temporal/service';
import { findStrays } from './strays';

/** A configuration without an integration of which leases live: they could not end. */
export class LeasesRemain extends Error {
  override readonly name = 'LeasesRemain';
}

/**
 * Makes sure that what leaves the configuration has no leases.
 * @throws LeasesRemain that names what has; TemporalError and others if it cannot be told.
 */
export async function refuseToLeave(inForce: Config, next: Config): Promise<void> {
  const leaving = Object.keys(inForce.integrations).filter((name) => next.integrations[name] === undefined);
  if (leaving.length === 0) return;
  const { connection, namespace } = await connect();
  try {
    const client = new Client({ connection, namespace });
    const strays = await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () => findStrays(client, next));
    const left = strays.filter(({ integration }) => leaving.includes(integration));
    if (left.length === 0) return;
    const all = left.map(({ integration, leases }) => `${integration} (${leases})`).join(', ');
    throw new LeasesRemain(
      `It lacks integrations of which leases live: ${all}. Put them back with "retired: true" until these have ended.`,
    );
  } finally {
    await connection.close();
  }
}
