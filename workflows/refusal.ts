import { ActivityFailure, ApplicationFailure, CancelledFailure } from '@temporalio/workflow';
import { isLeaseFailureType } from './contract';
import type { LeaseFailure, LeaseFailureType, ProvisionFailureDetail } from './contract';

/** A typed refusal, as it reaches the caller of an update. */
export function refusal(type: LeaseFailureType, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, category: 'BENIGN' });
}

/** The failure of an activity in the words of the contract. `late` says what it means that no attempt answered in time. */
export function readFailure(error: unknown, late: string): LeaseFailure {
  const cause = causeOf(error);
  if (cause instanceof ApplicationFailure && isLeaseFailureType(cause.type))
    return { type: cause.type, message: cause.message };
  if (cause instanceof CancelledFailure)
    return { type: 'LeaseEnded', message: 'The lease was ended before it was issued.' };
  return { type: 'IssueTimeout', message: late };
}

/**
 * Whether the attempt that ended the activity vouched that the provider holds nothing. Of an attempt that timed out nothing
 * is known, whatever the one before it reported.
 */
export function nothingWasMade(error: unknown): boolean {
  const cause = causeOf(error);
  if (!(cause instanceof ApplicationFailure)) return false;
  const detail = cause.details?.[0] as Partial<ProvisionFailureDetail> | null | undefined;
  return detail?.nothingMade === true;
}

function causeOf(error: unknown): unknown {
  return error instanceof ActivityFailure ? error.cause : error;
}
