import { IntegrationError } from '../integration';
import { toIntegrationError } from './errors';

const SUBJECT = { operation: 'GetCredentials' } as const;

export function unresolved(reference: string): IntegrationError {
  return new IntegrationError('Refused', {
    ...SUBJECT,
    hint: `The reference ${reference} could not be resolved on this worker.`,
  });
}

export function unanswered(): IntegrationError {
  return new IntegrationError('Unavailable', {
    ...SUBJECT,
    hint: "The source of the orchestrator's credentials did not answer in time.",
  });
}

/**
 * Why a source gave no credentials.
 * @param hasGiven whether it gave some before: then it is set up, and its failure need not last.
 */
export function describeSourceFailure(error: unknown, hasGiven: boolean): IntegrationError {
  if (error instanceof IntegrationError) return error;
  if (!(error instanceof Error && error.name.endsWith('ProviderError'))) return toIntegrationError(error, SUBJECT);
  if (!hasGiven) {
    const hint = 'No credentials were found for the orchestrator: see "credentials" of the integration.';
    return new IntegrationError('Refused', { ...SUBJECT, hint });
  }
  const hint =
    'The source of the orchestrator\'s credentials gives none any more: see "credentials" of the integration if it lasts.';
  return new IntegrationError('Unavailable', { ...SUBJECT, hint });
}
