import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/workflow';
import type { LeaseFailure, LeaseFailureType, ProvisionFailureDetail } from './contract';

/** A typed refusal, as it reaches the caller of an update. */
export function refusal(type: LeaseFailureType, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, category: 'BENIGN' });
}

/** The failure of an activity in the words of the contract. `late` says what it means that no attempt answered in time. */
export function readFailure(error: unknown, late: string): LeaseFailure {
  const cause = causeOf(error);
  if (cause instanceof ApplicationFailure && typeof cause.type === 'string') {
    return { type: cause.type as LeaseFailureType, message: cause.message };
  }
  if (cause instanceof CancelledFailure)
    return { type: 'LeaseEnded', message: 'The lease was ended before it was issued.' };
  return { type: 'IssueTimeout', message: late };
}

/** Whether the failed activity itself vouched that the provider holds nothing. */
export function nothingWasMade(error: unknown): boolean {
  const cause = causeOf(error);
  if (!(cause instanceof ApplicationFailure || cause instanceof CancelledFailure)) return false;
  const detail = cause.details?.[0] as Partial<ProvisionFailureDetail> | null | undefined;
  return detail?.nothingMade === true;
}

/** The failure that an attempt reported; of a time-out, the failure of the last attempt before it, if any. */
function causeOf(error: unknown): unknown {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof TimeoutFailure && cause.cause instanceof ApplicationFailure ? cause.cause : cause;
}
