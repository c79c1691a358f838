import { WorkflowNotFoundError } from '@temporalio/common';
import { summarise } from '../temporal/lease-summary';
import type { LeaseSummary, SeenState } from '../temporal/seen-lease';
import { LEASE_WORKFLOW } from '../workflows/contract';
import type { LeaseOutcome } from '../workflows/contract';
import type { Session } from './session';

/** Where a start writes down which call of `issue` it belongs to. */
export const ISSUE_MEMO = 'issue';

/** Where it writes down the thumbprint of the key to which the credential is sealed. Releases up to 0.5.0 did not. */
export const ISSUED_TO_MEMO = 'issuedTo';

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
  /** Thumbprint of the key to which its credential is sealed; null: its start does not say. */
  readonly issuedTo: string | null;
  /** Whether a worker ever took it up. */
  readonly taken: boolean;
}

/** Asks the server, not the index; null if there is no such lease. @param run absent: the latest. */
export async function look(session: Session, leaseId: string, run?: string): Promise<Found | null> {
  try {
    const info = await session.client.workflow.getHandle(leaseId, run).describe();
    if (info.type !== LEASE_WORKFLOW) return null;
    const issuedTo = info.memo?.[ISSUED_TO_MEMO];
    return {
      runId: info.runId,
      summary: summarise(info),
      closed: info.closeTime !== undefined,
      completed: info.status.name === 'COMPLETED',
      issue: info.memo?.[ISSUE_MEMO],
      issuedTo: typeof issuedTo === 'string' ? issuedTo : null,
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

/** Whether the credential of a lease in this state may still be handed out. */
export function isLive(state: SeenState): boolean {
  return state === 'provisioning' || state === 'active';
}
