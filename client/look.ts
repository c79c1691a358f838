import { WorkflowNotFoundError } from '@temporalio/common';
import type { WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import { ATTRIBUTES, LEASE_ENDS, LEASE_WORKFLOW } from '../workflows/contract';
import type { LeaseOutcome, LeaseState } from '../workflows/contract';
import type { LeaseSummary, SeenState } from './leases';
import type { Session } from './session';

/** Where a start writes down which call of `issue` it belongs to. */
export const ISSUE_MEMO = 'issue';

/** A lease's workflow as the server knows it at this moment. */
export interface Found {
  readonly runId: string;
  readonly summary: LeaseSummary;
  /** Whether the workflow runs no more. */
  readonly closed: boolean;
  /** Whether it ended with an outcome, which `readOutcome` gives. */
  readonly completed: boolean;
  /** The call of `issue` that started it, if it had an idempotency key. */
  readonly issue: unknown;
  /** Whether a worker ever took it up. */
  readonly taken: boolean;
}

/** Asks the server, not the index; null if there is no such lease. */
export async function look(session: Session, leaseId: string): Promise<Found | null> {
  try {
    const info = await session.client.workflow.getHandle(leaseId).describe();
    if (info.type !== LEASE_WORKFLOW) return null;
    return {
      runId: info.runId,
      summary: summarise(info),
      closed: info.closeTime !== undefined,
      completed: info.status.name === 'COMPLETED',
      issue: info.memo?.[ISSUE_MEMO],
      taken: info.historyLength > UNTAKEN_EVENTS,
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Started, and its first task scheduled. */
const UNTAKEN_EVENTS = 2;

/** The outcome of one run that has completed. */
export async function readOutcome(session: Session, leaseId: string, runId: string): Promise<LeaseOutcome> {
  return (await session.client.workflow.getHandle(leaseId, runId).result()) as LeaseOutcome;
}

export function summarise(info: WorkflowExecutionInfo | WorkflowExecutionDescription): LeaseSummary {
  const attributes = info.typedSearchAttributes;
  return {
    leaseId: info.workflowId,
    state: stateOf(info),
    project: attributes.get(ATTRIBUTES.project) ?? '',
    config: attributes.get(ATTRIBUTES.config) ?? '',
    dynamicSecret: attributes.get(ATTRIBUTES.dynamicSecret) ?? '',
    integration: attributes.get(ATTRIBUTES.integration) ?? null,
    holder: attributes.get(ATTRIBUTES.holder) ?? '',
    entity: attributes.get(ATTRIBUTES.entity) ?? null,
    requestedAt: info.startTime,
    expiresAt: attributes.get(ATTRIBUTES.expiresAt) ?? null,
    endedAt: info.closeTime ?? null,
  };
}

/** Whether the credential of a lease in this state may still be handed out. */
export function isLive(state: SeenState): boolean {
  return state === 'provisioning' || state === 'active';
}

function stateOf(info: WorkflowExecutionInfo | WorkflowExecutionDescription): SeenState {
  const state = (info.typedSearchAttributes.get(ATTRIBUTES.state) ?? 'provisioning') as LeaseState;
  if (info.closeTime === undefined) return state;
  return info.status.name === 'COMPLETED' && LEASE_ENDS.some((end) => end === state) ? state : 'terminated';
}
