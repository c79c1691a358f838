import type { Handle } from '../../../workflows/contract';
import type { Attempt, Integration, IntegrationDeps, IntegrationType } from '../integration';
import { openCalls, openReader } from './calls';
import { checkConnection } from './check';
import { datadogConnection } from './connection';
import type { DatadogConnection } from './connection';
import { deprovisionKeys } from './deprovision';
import { openConnections } from './exchange';
import { extendKeys } from './extend';
import { parseHandle, planKeys, readHandle } from './handle';
import { listKeys, readKeyMarks } from './list';
import { PACE } from './pace';
import type { Pace } from './pace';
import { datadogFields, datadogParameters } from './parameters';
import type { DatadogParameters } from './parameters';
import { provisionKeys } from './provision';
import { readQuota } from './quota';

/** One API key, one application key of a service account, or both, for each lease. */
export const datadog: IntegrationType<DatadogConnection, DatadogParameters> = {
  type: 'datadog',
  kind: 'Datadog keys',
  connection: datadogConnection,
  parameters: datadogParameters,
  fields: datadogFields,
  // How soon a list shows a new key is nowhere documented, nor how long a request may be on its way inside Datadog: so as long
  // as for providers that are known to be slow. It delays only the end of leases of which nothing is found.
  consistencyWindowMs: 5 * 60_000,
  plan: planKeys,
  connect: (connection, deps) => connectDatadog(connection, deps),
};

/** Opens the connection with a pace of its own: Datadog's by default, a faster one against an emulator. */
export function connectDatadog(
  connection: DatadogConnection,
  { throttle, resolveReference: resolve }: IntegrationDeps,
  pace: Pace = PACE,
): Integration<DatadogParameters> {
  const context = { connection, connections: openConnections(), throttle, resolve };

  function open(handle: Handle, attempt: Attempt, operation: string) {
    const keys = readHandle(handle, attempt, operation);
    return { keys, calls: openCalls(context, attempt, keys.name) };
  }

  return {
    provision: async (handle, parameters, _expiry, attempt) => {
      const { keys, calls } = open(handle, attempt, 'Provisioning');
      return provisionKeys(calls, keys, parameters, context, pace);
    },
    extend: async (handle, _expiry, attempt) => {
      const { keys, calls } = open(handle, attempt, 'Extending');
      await extendKeys(calls, keys);
    },
    deprovision: async (handle, attempt, facts = {}) => {
      const { keys, calls } = open(handle, attempt, 'Removing');
      return deprovisionKeys(calls, keys, facts, pace);
    },
    list: (cursor, signal) => listKeys(openReader(context, signal), connection, cursor),
    readMarks: async (handle, signal) => {
      const keys = parseHandle(handle, 'Reading marks');
      return readKeyMarks(openReader(context, signal, keys.name), keys, connection);
    },
    quota: (signal) => readQuota(openReader(context, signal), connection),
    check: (signal) => checkConnection(context, signal),
    close: () => {
      context.connections.close();
    },
  };
}
