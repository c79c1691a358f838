import type { Context } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/common';
import { instantOf } from '../temporal/timestamp';
import { ANSWER_WITHIN_MS, AttemptStopped } from './fence';
import { IntegrationError } from './integrations/integration';

/** Many looks may have come before, each an attempt: by their number the next one would come only after minutes. */
const ASK_AGAIN_AFTER_MS = 5_000;

/**
 * When the server gave this attempt to a worker, by the server's own clock: not later than anything that the attempt has seen.
 *
 * The server is asked, for the SDK tells only the instant for which an attempt was scheduled, and that may still be to come: a server
 * that was killed remembers tasks that it had already given away, and with such a task it gives away the next attempt, minutes
 * before its back-off is over.
 * @throws AttemptStopped if another attempt has taken over; IntegrationError `Unavailable` if the server does not say.
 */
export async function attemptStart({ client, info }: Context): Promise<Date> {
  const { workflowExecution, activityId, attempt } = info;
  const { workflowId = '', runId } = workflowExecution ?? {};
  try {
    const { raw } = await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      client.workflow.getHandle(workflowId, runId).describe(),
    );
    const own = raw.pendingActivities?.find((pending) => pending.activityId === activityId);
    const startedAt = own?.attempt === attempt ? instantOf(own.lastStartedTime) : 0;
    if (startedAt > 0) return new Date(Math.floor(startedAt));
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) {
      throw new IntegrationError('Unavailable', {
        operation: 'The look at the clock of Temporal',
        hint: 'Temporal did not say when this attempt began.',
        retryAfterMs: ASK_AGAIN_AFTER_MS,
      });
    }
  }
  throw new AttemptStopped('Another attempt has taken over.');
}
