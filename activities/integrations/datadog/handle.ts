import type { Handle } from '../../../workflows/contract';
import { entityName, isNameOf } from '../entity-name';
import { IntegrationError } from '../integration';
import type { EntityMark, EntityPlan, PlanContext } from '../integration';
import type { DatadogConnection } from './connection';
import { wantsApiKey, wantsApplicationKey } from './kinds';
import type { DatadogParameters } from './parameters';

/** What removal needs to know about a lease's keys, whatever has become of the configuration. */
export interface KeysHandle {
  /** Of each of its keys. */
  readonly name: string;
  /** Whether it has an API key. */
  readonly apiKey: boolean;
  /** Whose application key it has; null: it has none. */
  readonly serviceAccount: string | null;
}

/**
 * From names alone to the name of the keys and their handle. Pure.
 * @throws IntegrationError `InvalidInput` when the integration does not lease what the dynamic secret asks for.
 */
export function planKeys(
  context: PlanContext,
  connection: DatadogConnection,
  parameters: DatadogParameters,
): EntityPlan {
  const name = entityName(connection.name_prefix, context);
  const { keys, service_account: serviceAccount = null } = parameters;
  const apiKey = wantsApiKey(keys);
  if (
    (apiKey && !wantsApiKey(connection.keys)) ||
    (wantsApplicationKey(keys) && !wantsApplicationKey(connection.keys))
  ) {
    throw new IntegrationError('InvalidInput', {
      operation: 'Planning',
      entity: name,
      hint:
        `The dynamic secret asks for keys: ${keys}, and the integration leases keys: ${connection.keys} only. ` +
        'Correct either.',
    });
  }
  return { entity: name, handle: handleOf({ name, apiKey, serviceAccount }) };
}

export function handleOf({ name, apiKey, serviceAccount }: KeysHandle): Handle {
  return { name, apiKey, serviceAccount };
}

/**
 * Reads a handle of any lease.
 * @throws IntegrationError `InvalidInput` when it is no handle of ours.
 */
export function parseHandle({ name, apiKey, serviceAccount }: Handle, operation: string): KeysHandle {
  const hasAccount = typeof serviceAccount === 'string';
  if (
    typeof name !== 'string' ||
    name === '' ||
    typeof apiKey !== 'boolean' ||
    (!hasAccount && (serviceAccount !== null || !apiKey))
  ) {
    throw new IntegrationError('InvalidInput', { operation, hint: 'The handle names no Datadog keys.' });
  }
  return { name, apiKey, serviceAccount: hasAccount ? serviceAccount : null };
}

/**
 * Reads a handle from history.
 * @throws IntegrationError `InvalidInput` when it is no handle of ours, `Refused` when it is another lease's.
 */
export function readHandle(handle: Handle, mark: EntityMark, operation: string): KeysHandle {
  const keys = parseHandle(handle, operation);
  if (!isNameOf(keys.name, mark)) {
    throw new IntegrationError('Refused', { operation, entity: keys.name, hint: 'The handle is not of this lease.' });
  }
  return keys;
}
