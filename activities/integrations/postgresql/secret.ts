import { IntegrationError } from '../integration';
import type { IntegrationDeps } from '../integration';

/** @throws IntegrationError `Refused` that names the reference. */
export function resolveSecret(reference: string, resolve: IntegrationDeps['resolveReference']): string {
  try {
    return resolve(reference);
  } catch {
    throw new IntegrationError('Refused', {
      operation: 'Connect',
      hint: `The reference ${reference} could not be resolved on this worker.`,
    });
  }
}
