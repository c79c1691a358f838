import { STSClient } from '@aws-sdk/client-sts';
import { openCredentials } from '../aws/credentials';
import { CLIENT_DEFAULTS, regionOf, stsEndpoint } from '../aws/settings';
import { IntegrationError } from '../integration';
import type { Integration, IntegrationDeps } from '../integration';
import { checkConnection } from './check';
import type { AwsStsConnection } from './connection';
import { readHandle } from './handle';
import type { AwsStsParameters } from './parameters';
import { provisionSession } from './provision';

/** Opens the connection. */
export function connectAwsSts(connection: AwsStsConnection, deps: IntegrationDeps): Integration<AwsStsParameters> {
  const { throttle, resolveReference } = deps;
  const credentials = openCredentials(connection, resolveReference);
  const client = new STSClient({
    ...CLIENT_DEFAULTS,
    ...stsEndpoint(connection),
    region: regionOf(connection),
    credentials: credentials.provide,
  });
  const context = { client, credentials, throttle, resolveReference };
  return {
    provision: async (handle, parameters, _expiry, attempt) =>
      provisionSession(context, readHandle(handle), parameters, attempt),
    extend: (handle) => Promise.reject(unextendable(readHandle(handle).sessionName)),
    deprovision: () =>
      Promise.resolve({ result: 'absent', because: 'a role session cannot be recalled and ends by itself' }),
    // Nothing of a session can be found, by a sweep or by anybody else.
    list: () => Promise.resolve({ entities: [], next: null }),
    readMarks: () => Promise.resolve(null),
    quota: () => Promise.resolve(null),
    check: (signal) => checkConnection(context, connection, signal),
    close: () => {
      client.destroy();
    },
  };
}

function unextendable(entity: string): IntegrationError {
  return new IntegrationError('Refused', {
    operation: 'Extending',
    entity,
    hint: 'The length of a role session is fixed when it is made: issue a new lease. The old expiry stands.',
  });
}
