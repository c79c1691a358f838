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

/** Why a source gave no credentials. */
export function describeSourceFailure(error: unknown): IntegrationError {
  if (error instanceof IntegrationError) return error;
  if (!(error instanceof Error && error.name.endsWith('ProviderError'))) return toIntegrationError(error, SUBJECT);
  const hint = 'No credentials were found for the orchestrator: see "credentials" of the integration.';
  return new IntegrationError('Refused', { ...SUBJECT, hint });
}
