import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/common';
import { QueryNotRegisteredError, WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';
import type { SearchAttributePair } from '@temporalio/common';
import { ATTRIBUTES, claim, LEASE_WORKFLOW, WORKFLOW_QUEUE, WORKFLOW_TASK_TIMEOUT_MS } from '../workflows/contract';
import type { Claim, LeaseInput, LeaseOutcome, LeaseView } from '../workflows/contract';
import { grpcStatusOf } from '../temporal/service';
import { detailsOf, summaryOf } from './descriptions';
import { toLeaseError } from './failures';
import { fairnessKeyOf } from './fairness';
import { LeaseError } from './leases';
import type { SeenState } from './leases';
import { isLive, ISSUE_MEMO, ISSUED_TO_MEMO, look, readOutcome } from './look';
import type { Found } from './look';
import type { Order } from './order';
import type { Session } from './session';
import { readView } from './view';
import { Interrupted, pause, within } from './waiting';

/** The ended run whose idempotency key is free again, so that a new one may be started; null: none. */
type Freed = string | null;

/** A lease that was started or joined. */
export interface Claimed {
  readonly claim: Claim;
  /** Whether this order started it; false: it was there under the idempotency key. */
  readonly started: boolean;
}

/** How often a lease that ends, or is begun by others, under our hands is asked for again. */
const MAX_STARTS = 6;
const START_AGAIN_MS = 150;

/**
 * Starts the lease, or joins the one of the same idempotency key, and claims its sealed credential.
 * @throws LeaseError when that is refused; Interrupted, or an error of the SDK, when it is not known what became of it.
 */
export async function claimLease(session: Session, order: Order): Promise<Claimed> {
  let freed: Freed = null;
  for (let start = 0; start < MAX_STARTS; start += 1) {
    if (start > 0) await pause(START_AGAIN_MS * start);
    try {
      const answer = await within(session, order.bounds, () => request(session, order, freed));
      return { claim: answer, started: order.exclusive || (await refuseDead(session, order)).issue === order.issue };
    } catch (error) {
      freed = await judge(session, order, error);
    }
  }
  throw new LeaseError('Unavailable', `Lease ${order.leaseId} changes hands faster than it can be asked for.`, {
    leaseId: order.leaseId,
  });
}

async function request(session: Session, order: Order, freed: Freed): Promise<Claim> {
  const { leaseId, input, issue, exclusive, hangUp } = order;
  const { thumbprint, ttlMs } = input;
  const startWorkflowOperation = new WithStartWorkflowOperation(LEASE_WORKFLOW, {
    workflowId: leaseId,
    taskQueue: WORKFLOW_QUEUE,
    args: [input],
    workflowIdReusePolicy: freed === null ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
    priority: { fairnessKey: fairnessKeyOf(ttlMs, Date.now()) },
    typedSearchAttributes: attributesOf(input),
    staticSummary: summaryOf(input),
    staticDetails: detailsOf(leaseId, session.namespace),
    ...(exclusive ? {} : { memo: { [ISSUE_MEMO]: issue, [ISSUED_TO_MEMO]: thumbprint } }),
  });
  order.flight = 'sent';
  try {
    return await session.client.withAbortSignal(hangUp.signal, () =>
      session.client.workflow.executeUpdateWithStart(claim, {
        startWorkflowOperation,
        args: [{ thumbprint, ttlMs }],
        updateId: updateIdOf(input, freed),
      }),
    );
  } finally {
    order.flight = 'over';
  }
}

/**
 * The server repeats the answer to an update id without asking the workflow, even from a run that has ended. So the id holds all
 * that makes the same question: the key, the TTL, and the ended run after which it is asked anew.
 */
function updateIdOf({ thumbprint, ttlMs }: LeaseInput, freed: Freed): string {
  const question = `${thumbprint}/${ttlMs ?? 'default'}`;
  return freed === null ? question : `${question}/${freed}`;
}

/** Whether the lease shall be asked for again, and after which run; throws if not. */
async function judge(session: Session, order: Order, error: unknown): Promise<Freed> {
  const refused = error instanceof WorkflowUpdateFailedError;
  const closed = error instanceof WorkflowExecutionAlreadyStartedError || error instanceof WorkflowNotFoundError;
  // The lease was about to end when it got a signal: the server then drops what it had not answered yet.
  const dropped = grpcStatusOf(error) === 'failedPrecondition';
  if (!refused && !closed && !dropped) throw error;
  const failure = toLeaseError(error, { leaseId: order.leaseId });
  if (refused && order.exclusive) throw failure;
  const found = await within(session, order.bounds, () => look(session, order.leaseId));
  if (found === null) {
    if (refused || dropped) throw failure;
    return null;
  }
  const ours = order.exclusive || found.issue === order.issue;
  if (refused && ours) throw failure;
  if (found.closed) return judgeEnded(session, order, found, ours);
  if (closed || dropped) return null;
  const view = await viewOf(session, order, found);
  // It has been closed meanwhile, perhaps: the server knows.
  if (view === null) return null;
  if (view.endedBy === null && isLive(view.state)) throw failure;
  if (view.delivered) throw isLive(view.state) ? failure : ended(order, view.state);
  // Whoever asked for it hung up before anybody had its credential: once it is removed, the key is free.
  return judgeEnded(session, order, await untilClosed(session, order, found), false);
}

async function viewOf(session: Session, order: Order, { runId }: Found): Promise<LeaseView | null> {
  try {
    return await readView(session, order.bounds, order.leaseId, runId);
  } catch (error) {
    if (error instanceof QueryNotRegisteredError) return null;
    throw error;
  }
}

async function untilClosed(session: Session, order: Order, found: Found): Promise<Found> {
  try {
    await within(session, order.bounds, () => readOutcome(session, order.leaseId, found.runId));
  } catch (error) {
    // What is left is a workflow that ended without an outcome.
    if (error instanceof Interrupted || grpcStatusOf(error) !== null) throw error;
  }
  return (await within(session, order.bounds, () => look(session, order.leaseId, found.runId))) ?? found;
}

/** A lease that nobody ever had frees its idempotency key. */
async function judgeEnded(session: Session, order: Order, found: Found, ours: boolean): Promise<Freed> {
  if (!found.completed) throw ended(order, 'terminated');
  const outcome = await within(session, order.bounds, () => readOutcome(session, order.leaseId, found.runId));
  if (ours && outcome.failure !== null) {
    throw new LeaseError(outcome.failure.type, outcome.failure.message, { leaseId: order.leaseId });
  }
  if (ours || !isFreed(outcome)) throw ended(order, outcome.state);
  return found.runId;
}

function isFreed(outcome: LeaseOutcome): boolean {
  return !outcome.delivered && (outcome.state === 'failed' || outcome.state === 'revoked');
}

/** The server repeats an answer even when the lease behind it is over. */
async function refuseDead(session: Session, order: Order): Promise<Found> {
  const found = await within(session, order.bounds, () => look(session, order.leaseId));
  if (found === null || !isLive(found.summary.state)) throw ended(order, found?.summary.state ?? 'terminated');
  return found;
}

function ended(order: Order, state: SeenState): LeaseError {
  const { leaseId } = order;
  const message =
    state === 'terminated'
      ? `Lease ${leaseId} was terminated in Temporal without a removal.`
      : `Lease ${leaseId} is ${state}.`;
  const advice = order.exclusive ? '' : ' It belongs to this idempotency key: use another key for a new credential.';
  return new LeaseError('LeaseEnded', message + advice, { leaseId, state });
}

function attributesOf(input: LeaseInput): SearchAttributePair[] {
  return [
    { key: ATTRIBUTES.state, value: 'provisioning' },
    { key: ATTRIBUTES.project, value: input.project },
    { key: ATTRIBUTES.config, value: input.config },
    { key: ATTRIBUTES.dynamicSecret, value: input.dynamicSecret },
    { key: ATTRIBUTES.holder, value: input.holder },
  ];
}
