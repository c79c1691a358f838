import type { Client } from '@temporalio/client';
import type { Config } from '../../config/load';
import { buildQuery } from '../../temporal/query';
import { CALL_TIMEOUT_MS } from '../../temporal/service';
import { incidentId } from '../../workflows/contract';
import { isRunning } from '../running';
import type { Reporter } from './reporter';

/**
 * Reports for the stuck leases of each configured integration that has no incident: a lease reports itself once, an incident may
 * have been ended by hand since, and a lease begun under 0.1.0 reports nothing. All are tried, whatever becomes of one.
 */
export async function reopenIncidents(client: Client, config: Config, reporter: Reporter): Promise<void> {
  const reopen = async (integration: string): Promise<void> => {
    const { count } = await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      client.workflow.count(buildQuery({ integration, state: 'stuck' })),
    );
    if (count > 0 && !(await isRunning(client, incidentId(integration)))) await reporter.reportStuck(integration);
  };
  const tried = await Promise.allSettled(Object.keys(config.integrations).map(reopen));
  for (const each of tried) if (each.status === 'rejected') throw each.reason;
}
