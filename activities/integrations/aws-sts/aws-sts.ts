import { STSClient } from '@aws-sdk/client-sts';
import { openCredentials } from '../aws/credentials';
import { CLIENT_DEFAULTS, regionOf, stsEndpoint } from '../aws/settings';
import { IntegrationError } from '../integration';
import type { Integration, IntegrationDeps, IntegrationType } from '../integration';
import { checkConnection } from './check';
import { awsStsConnection } from './connection';
import type { AwsStsConnection } from './connection';
import { planSession, readHandle } from './handle';
import { awsStsParameters } from './parameters';
import type { AwsStsParameters } from './parameters';
import { provisionSession } from './provision';
import { sessionSpan } from './span';

/** One session of a role for each lease. Nobody can end it before its time: the lease stays open until it has ended by itself. */
export const awsSts: IntegrationType<AwsStsConnection, AwsStsParameters> = {
  type: 'aws_sts',
  kind: 'AWS role session',
  connection: awsStsConnection,
  parameters: awsStsParameters,
  fields: () => ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN'],
  // Of the clocks of AWS's endpoints, beyond the life of the session itself.
  consistencyWindowMs: 30_000,
  selfEnding: sessionSpan,
  plan: planSession,
  connect: connectAwsSts,
};

function connectAwsSts(connection: AwsStsConnection, deps: IntegrationDeps): Integration<AwsStsParameters> {
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
