import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import type { Config, IntegrationSettings } from '../config/load';
import { SWEEP_WORKFLOW, sweepId, WORKFLOW_QUEUE, WORKFLOW_TASK_TIMEOUT_MS } from '../workflows/contract';
import type { SweepInput } from '../workflows/contract';

/** A missed sweep is not made up for: the next one sees the same. */
const CATCH_UP_MS = 60_000;

/**
 * Makes sure that each configured integration is swept as its settings say. Schedules of integrations that have left the
 * configuration are not touched: another worker may have them. All are tried, whatever becomes of one.
 */
export async function ensureSweeps(client: Client, config: Config): Promise<void> {
  const ensure = async ([integration, { sweep }]: readonly [string, IntegrationSettings]): Promise<void> => {
    const options = scheduleOf(integration, sweep.everyMs);
    try {
      await client.schedule.create({ scheduleId: sweepId(integration), ...options });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      // Whether an operator has paused it is left as it is.
      await client.schedule.getHandle(sweepId(integration)).update(({ state }) => ({ ...options, state }));
    }
  };
  const tried = await Promise.allSettled(Object.entries(config.integrations).map(ensure));
  for (const each of tried) if (each.status === 'rejected') throw each.reason;
}

function scheduleOf(integration: string, everyMs: number) {
  return {
    spec: { intervals: [{ every: everyMs }], jitter: Math.round(everyMs / 10) },
    action: {
      type: 'startWorkflow',
      workflowType: SWEEP_WORKFLOW,
      workflowId: sweepId(integration),
      taskQueue: WORKFLOW_QUEUE,
      args: [{ integration, dryRun: false, deployment: null } satisfies SweepInput],
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
      staticSummary: `removes what outlived its lease from ${integration}`,
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP_MS },
  } satisfies Omit<ScheduleOptions, 'scheduleId'>;
}
