import type { ProviderErrorType } from '../../workflows/contract';
import { IntegrationError } from './integration';
import type { ErrorFacts } from './integration';

/** An error of our own making, with the facts of one that came from the provider where there is one. */
export function restate({ facts }: IntegrationError, type: ProviderErrorType, hint: string): IntegrationError {
  return new IntegrationError(type, { ...facts, hint });
}

/** The fence let a change pass that did not leave in time, and now must not leave any more. */
export function lostFence({ operation, entity }: Pick<ErrorFacts, 'operation' | 'entity'>): IntegrationError {
  return new IntegrationError('Unavailable', {
    operation,
    ...(entity === undefined ? {} : { entity }),
    hint: 'Nothing was sent: too much time went by since this attempt last proved that the lease is its own.',
  });
}
