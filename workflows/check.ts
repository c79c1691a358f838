import { ActivityFailure, isCancellation, proxyActivities, TimeoutFailure } from '@temporalio/workflow';
import { upkeepQueue } from './contract';
import type { CheckOutcome, IntegrationInput, UpkeepActivities } from './contract';

/** Has a worker that serves the integration try its credential and rights. */
export async function check({ integration }: IntegrationInput): Promise<CheckOutcome> {
  const activities = proxyActivities<UpkeepActivities>({
    taskQueue: upkeepQueue(integration),
    // A worker that is there takes it up at once; without one nobody shall wait to hear so.
    scheduleToStartTimeout: '8s',
    startToCloseTimeout: '30s',
    scheduleToCloseTimeout: '60s',
    retry: { initialInterval: '500ms', maximumAttempts: 3 },
    // Before a sweep, which does not wait for an answer.
    priority: { priorityKey: 2 },
    summary: `check ${integration}`,
  });
  try {
    return await activities.check({ integration });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const cause = error instanceof ActivityFailure ? error.cause : undefined;
    const isUnserved = cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START';
    return isUnserved ? 'unserved' : 'unanswered';
  }
}
