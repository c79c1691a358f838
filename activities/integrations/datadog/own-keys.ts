import { IntegrationError } from '../integration';
import type { IntegrationDeps } from '../integration';
import type { DatadogConnection } from './connection';

/** What a call is authenticated with. */
export interface Keys {
  readonly apiKey: string;
  readonly appKey: string;
}

export interface KeySource {
  readonly connection: DatadogConnection;
  readonly resolve: IntegrationDeps['resolveReference'];
}

/**
 * The orchestrator's own keys, read before each call: a rotated file is in force at once.
 * @throws IntegrationError `Refused` when there are none.
 */
export function ownKeys({ connection, resolve }: KeySource, operation: string): Keys {
  const read = (reference: string): string => {
    try {
      return resolve(reference);
    } catch {
      const hint = `The reference ${reference} could not be resolved on this worker.`;
      throw new IntegrationError('Refused', { operation, hint });
    }
  };
  return { apiKey: read(connection.api_key), appKey: read(connection.app_key) };
}
