import { WorkflowNotFoundError } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import type { Config } from '../../config/load';
import { buildQuery } from '../../temporal/query';
import { CALL_TIMEOUT_MS } from '../../temporal/service';
import { incidentId } from '../../workflows/contract';
import type { Reporter } from './reporter';

/**
 * Reports for the stuck leases of each integration that has no incident: a lease reports itself once, an incident may have been
 * ended by hand since, and a lease begun under 0.1.0 reports nothing.
 */
export async function reopenIncidents(client: Client, config: Config, reporter: Reporter): Promise<void> {
  for (const integration of Object.keys(config.integrations)) {
    const { count } = await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      client.workflow.count(buildQuery({ integration, state: 'stuck' })),
    );
    if (count > 0 && !(await isOpen(client, integration))) await reporter.reportStuck(integration);
  }
}

async function isOpen(client: Client, integration: string): Promise<boolean> {
  try {
    const handle = client.workflow.getHandle(incidentId(integration));
    const { closeTime } = await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () => handle.describe());
    return closeTime === undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
