import { proxyActivities } from '@temporalio/workflow';
import { upkeepQueue } from './contract';
import type { UpkeepActivities, SweepInput, SweepReport } from './contract';

/** Looks through an integration's provider once and removes what outlived its lease. */
export async function sweep(input: SweepInput): Promise<SweepReport> {
  const activities = proxyActivities<UpkeepActivities>({
    taskQueue: upkeepQueue(input.integration),
    scheduleToCloseTimeout: '2h',
    startToCloseTimeout: '1h',
    heartbeatTimeout: '30s',
    retry: { initialInterval: '5s', backoffCoefficient: 2, maximumInterval: '5m' },
    // Behind a probe, which may have leases waiting for it.
    priority: { priorityKey: 5 },
    summary: `sweep ${input.integration}${input.dryRun ? ' (dry run)' : ''}`,
  });
  return activities.sweep(input);
}
