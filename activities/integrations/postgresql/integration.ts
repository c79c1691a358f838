import type { Handle } from '../../../workflows/contract';
import type { Attempt, Integration, IntegrationDeps } from '../integration';
import { openCalls, openReader } from './calls';
import { checkConnection } from './check';
import { connectClient } from './connect';
import type { PostgresqlConnection } from './connection';
import { deprovisionRole } from './deprovision';
import { extendRole } from './extend';
import { parseHandle, readHandle } from './handle';
import { listRoles } from './list';
import { lookUpRole } from './look';
import { readMarks } from './mark';
import { PACE } from './pace';
import type { Pace } from './pace';
import type { PostgresqlParameters } from './parameters';
import { provisionRole } from './provision';
import { openSessions } from './sessions';

/** Opens the connection with a pace of its own. Nothing is sent before the first call. */
export function connectPostgresql(
  connection: PostgresqlConnection,
  deps: IntegrationDeps,
  pace: Pace = PACE,
): Integration<PostgresqlParameters> {
  const { throttle } = deps;
  const sessions = openSessions({
    open: (where) => connectClient(connection, deps, pace, where),
    size: connection.pool_size,
    idleMs: pace.idleMs,
  });
  const context = { sessions, throttle, pace, home: { database: connection.database } };

  function open(handle: Handle, attempt: Attempt, operation: string) {
    const role = readHandle(handle, attempt, operation);
    return { role, calls: openCalls(context, attempt, role.role) };
  }

  return {
    provision: async (handle, parameters, expiry, attempt) => {
      const { role, calls } = open(handle, attempt, 'CreateRole');
      return provisionRole(calls, role, parameters, expiry, connection);
    },
    extend: async (handle, expiry, attempt) => {
      const { role, calls } = open(handle, attempt, 'ExtendRole');
      await extendRole(calls, role, expiry);
    },
    deprovision: async (handle, attempt) => {
      const { role, calls } = open(handle, attempt, 'DropRole');
      return deprovisionRole(calls, role);
    },
    list: (cursor, signal) => listRoles(openReader(context, signal), connection, cursor),
    readMarks: async (handle, signal) => {
      const { role: name } = parseHandle(handle, 'LookUpRole');
      const { role } = await lookUpRole(openReader(context, signal, name), name);
      return role === undefined ? null : readMarks(role.comment);
    },
    // PostgreSQL sets no limit on roles.
    quota: () => Promise.resolve(null),
    check: (signal) => checkConnection(context, connection, signal),
    close: () => {
      sessions.close();
    },
  };
}
