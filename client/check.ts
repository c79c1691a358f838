import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { CALL_TIMEOUT_MS } from '../temporal/service';
import { CHECK_WORKFLOW, WORKFLOW_QUEUE, WORKFLOW_TASK_TIMEOUT_MS } from '../workflows/contract';
import type { CheckAnswer, CheckOutcome, IntegrationInput } from '../workflows/contract';
import { toLeaseError } from './failures';
import { LeaseError } from './leases';
import type { Session } from './session';
import { boundsOf, isTooLate, within } from './waiting';

/** A worker that is there takes it up at once. */
const TAKEN_UP_WITHIN_MS = 10_000;
/** Above what the workflow itself allows for. */
const TIMEOUT_MS = 75_000;
/** Started, and its first task scheduled. */
const UNTAKEN_EVENTS = 2;

/**
 * Has a worker that serves the integration try its credential and rights.
 * @throws LeaseError `Unavailable` with a sentence that says which worker is missing.
 */
export async function checkIntegration({ client }: Pick<Session, 'client'>, integration: string): Promise<CheckAnswer> {
  const handle = await begin({ client }, integration);
  try {
    const outcome = (await early({ client }, handle)) ?? (await resultOf({ client }, handle, TIMEOUT_MS));
    if (typeof outcome === 'object') return outcome;
    throw new LeaseError('Unavailable', outcome === 'unserved' ? nobody(`the integration ${integration}`) : UNANSWERED);
  } catch (error) {
    if (isTooLate(error) || error instanceof WorkflowFailedError) throw new LeaseError('Unavailable', UNANSWERED);
    throw toLeaseError(error);
  }
}

async function begin({ client }: Pick<Session, 'client'>, integration: string): Promise<WorkflowHandle> {
  try {
    return await within({ client }, boundsOf(CALL_TIMEOUT_MS), () =>
      client.workflow.start(CHECK_WORKFLOW, {
        workflowId: `check/${integration}/${randomUUID()}`,
        taskQueue: WORKFLOW_QUEUE,
        args: [{ integration } satisfies IntegrationInput],
        workflowExecutionTimeout: TIMEOUT_MS,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
        staticSummary: `whether ${integration} has all that leases need`,
      }),
    );
  } catch (error) {
    throw toLeaseError(error);
  }
}

/** Null: a worker has taken it up and is at it. */
async function early(session: Pick<Session, 'client'>, handle: WorkflowHandle): Promise<CheckOutcome | null> {
  try {
    return await resultOf(session, handle, TAKEN_UP_WITHIN_MS);
  } catch (error) {
    if (!isTooLate(error)) throw error;
  }
  const { historyLength } = await within(session, boundsOf(CALL_TIMEOUT_MS), () => handle.describe());
  if (historyLength > UNTAKEN_EVENTS) return null;
  // So that it surprises nobody later.
  await within(session, boundsOf(CALL_TIMEOUT_MS), () => handle.terminate('no worker took it up'));
  throw new LeaseError('Unavailable', nobody('the workflows'));
}

function resultOf(session: Pick<Session, 'client'>, handle: WorkflowHandle, withinMs: number): Promise<CheckOutcome> {
  return within(session, boundsOf(withinMs), () => handle.result() as Promise<CheckOutcome>);
}

function nobody(what: string): string {
  return `No worker took up the check: is one running that serves ${what} in this namespace?`;
}

const UNANSWERED = 'A worker took up the check and did not answer in time: see its log.';
