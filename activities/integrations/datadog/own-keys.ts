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
  const refuse = (hint: string) => new IntegrationError('Refused', { operation, hint });
  const read = (reference: string): string => {
    let key: string;
    try {
      key = resolve(reference);
    } catch {
      throw refuse(`The reference ${reference} could not be resolved on this worker.`);
    }
    // Else it could not even be sent, which would look like a network that is down.
    if (!/^[\x21-\x7e]+$/.test(key)) {
      throw refuse(`What ${reference} holds is no key: a blank, a line break or a letter beyond ASCII is in it.`);
    }
    return key;
  };
  return { apiKey: read(connection.api_key), appKey: read(connection.app_key) };
}
