import { ApplicationFailure } from '@temporalio/common';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { explainFailure } from '../temporal/service';
import { isLeaseFailureType } from '../workflows/contract';
import { Interrupted } from './bounds';
import { LeaseError } from './leases';
import type { LeaseErrorFacts } from './leases';

/**
 * Any error as LeaseError. A lease's own refusals keep their code and sentence, which are made to be shown; of everything else
 * only the kind is told.
 */
export function toLeaseError(error: unknown, facts: LeaseErrorFacts = {}): LeaseError {
  if (error instanceof LeaseError) return error;
  if (error instanceof Interrupted && error.why === 'timeout') {
    return new LeaseError('Unavailable', 'Temporal did not answer in time.', facts);
  }
  if (!(error instanceof WorkflowUpdateFailedError)) return new LeaseError('Unavailable', explainFailure(error), facts);
  const { cause } = error;
  if (cause instanceof ApplicationFailure && isLeaseFailureType(cause.type)) {
    return new LeaseError(cause.type, cause.message, facts);
  }
  return new LeaseError('Unavailable', 'The lease refused the request for a reason that is not repeated here.', facts);
}
