import { IAMClient } from '@aws-sdk/client-iam';
import type { Handle } from '../../../workflows/contract';
import { openCredentials } from '../aws/credentials';
import { CLIENT_DEFAULTS, iamEndpoint, regionOf } from '../aws/settings';
import type { Attempt, Integration, IntegrationDeps } from '../integration';
import { openCalls, openReader } from './calls';
import { checkConnection } from './check';
import type { AwsIamConnection } from './connection';
import { deprovisionUser } from './deprovision';
import { extendUser } from './extend';
import { parseHandle, readHandle } from './handle';
import { listUsers } from './list';
import { readUser } from './look';
import { readMarks } from './mark';
import { PACE } from './pace';
import type { Pace } from './pace';
import type { AwsIamParameters } from './parameters';
import { provisionUser } from './provision';
import { readQuota } from './quota';

/** Opens the connection with a pace of its own: AWS's by default, a faster one against an emulator. */
export function connectAwsIam(
  connection: AwsIamConnection,
  deps: IntegrationDeps,
  pace: Pace = PACE,
): Integration<AwsIamParameters> {
  const { throttle } = deps;
  const credentials = openCredentials(connection, deps.resolveReference);
  const client = new IAMClient({
    ...CLIENT_DEFAULTS,
    ...iamEndpoint(connection),
    region: regionOf(connection),
    credentials: credentials.provide,
  });
  const context = { client, credentials, throttle };

  function open(handle: Handle, attempt: Attempt, operation: string) {
    const user = readHandle(handle, attempt, operation);
    return { user, calls: openCalls(context, attempt, user.userName) };
  }

  return {
    provision: async (handle, parameters, expiry, attempt) => {
      const { user, calls } = open(handle, attempt, 'CreateUser');
      return provisionUser(calls, user, parameters, expiry, { connection, throttle, pace });
    },
    extend: async (handle, expiry, attempt) => {
      const { user, calls } = open(handle, attempt, 'TagUser');
      await extendUser(calls, user, expiry);
    },
    deprovision: async (handle, attempt, facts = {}) => {
      const { user, calls } = open(handle, attempt, 'DeleteUser');
      return deprovisionUser(calls, user, facts, pace);
    },
    list: (cursor, signal) => listUsers(openReader(context, signal), connection, cursor),
    readMarks: async (handle, signal) => {
      const wanted = parseHandle(handle, 'GetUser');
      const user = await readUser(openReader(context, signal, wanted.userName), wanted.userName);
      return user === undefined ? null : readMarks(user, wanted);
    },
    quota: (signal) => readQuota(openReader(context, signal)),
    check: (signal) => checkConnection(context, connection, signal),
    close: () => {
      client.destroy();
    },
  };
}
