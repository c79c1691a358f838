import type { CancellationScope } from '@temporalio/workflow';
import {
  ActivityCancellationType,
  patched,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
} from '@temporalio/workflow';
import { provisionQueue } from './contract';
import type { Plan, PlanningActivities, ProvisionActivities } from './contract';
import type { LeaseRecord } from './record';
import { isCondemned, move } from './record';
import { nothingWasMade, readFailure } from './refusal';
import { formatTtl } from './ttl';

export const planning = proxyLocalActivities<PlanningActivities>({
  startToCloseTimeout: '5s',
  // Bounded by attempts: with a schedule-to-close that runs out between two of them the SDK never reports the end.
  retry: { initialInterval: '200ms', maximumInterval: '2s', maximumAttempts: 6 },
});

/** Marks the histories of runs, made by a reset, that remove although they have made nothing. */
const AFTER_RESET = 'after-reset';

/** What is left to do once provision has ended, however it ended. */
export interface Remains {
  /** From this instant on the provider's "absent" can be believed even though nobody confirmed a delete. */
  readonly absenceCertainAt: Date;
}

/**
 * Plans and provisions. The plan is in history before any provider call, so that whatever happens afterwards can be removed.
 * Answers null if the provider certainly holds nothing.
 * @param scope cancelled by revoke and by cancel.
 */
export async function provisionLease(record: LeaseRecord, scope: CancellationScope): Promise<Remains | null> {
  try {
    const { leaseId } = record.view;
    record.plan = await planning.plan({ leaseId, input: record.input, ...(isReset() ? { again: true } : {}) });
  } catch (error) {
    move(record, { failure: readFailure(error, 'The worker could not plan the lease in time: see its log.') });
    return null;
  }
  const plan = record.plan;
  move(record, { integration: plan.integration, entity: plan.entity });
  const outcomeUnknown = plan.timings.attemptTimeoutMs + plan.timings.consistencyWindowMs;
  if (isCondemned(record)) return isAlone() ? null : { absenceCertainAt: after(outcomeUnknown) };
  if (plan.refusal !== undefined) {
    move(record, { failure: plan.refusal });
    return { absenceCertainAt: after(outcomeUnknown) };
  }
  record.provisionedBy = Date.now() + plan.timings.issueTimeoutMs;
  try {
    record.provisioned = await scope.run(() => provision(record, plan));
  } catch (error) {
    if (!isCondemned(record)) move(record, { failure: readFailure(error, late(plan)) });
    if (nothingWasMade(error) && isAlone()) return null;
    return { absenceCertainAt: after(outcomeUnknown) };
  }
  return { absenceCertainAt: after(plan.timings.consistencyWindowMs) };
}

function provision(record: LeaseRecord, plan: Plan): ReturnType<ProvisionActivities['provision']> {
  const { project, config, dynamicSecret, recipient } = record.input;
  const { integration, entity, handle, ttlMs, timings } = plan;
  const activities = proxyActivities<ProvisionActivities>({
    taskQueue: provisionQueue(integration),
    scheduleToCloseTimeout: timings.issueTimeoutMs,
    startToCloseTimeout: timings.attemptTimeoutMs,
    heartbeatTimeout: timings.heartbeatTimeoutMs,
    // Written out: the real default is TRY_CANCEL, which would let removal overtake an attempt that still makes things.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s' },
    summary: `provision ${plan.kind} ${entity} for ${formatTtl(ttlMs)}`,
  });
  return activities.provision({
    leaseId: record.view.leaseId,
    project,
    config,
    dynamicSecret,
    integration,
    entity,
    handle,
    ttlMs,
    issueTimeoutMs: timings.issueTimeoutMs,
    recipient,
  });
}

/** Whether this run was made by a reset, and may find what the run before it had made. */
export function isReset(): boolean {
  const { runId, firstExecutionRunId } = workflowInfo();
  return runId !== firstExecutionRunId;
}

/** Whether nothing was made of the lease but by this run. */
function isAlone(): boolean {
  return !isReset() || !patched(AFTER_RESET);
}

function late(plan: Plan): string {
  return (
    `No credential was made within ${formatTtl(plan.timings.issueTimeoutMs)}. ` +
    `Is a worker serving the integration ${plan.integration}, and does its provider answer?`
  );
}

function after(ms: number): Date {
  return new Date(Date.now() + ms);
}
