import type { IntegrationType } from '../integration';
import { connectLazily, loadClient } from '../lazy-client';
import { awsStsConnection } from './connection';
import type { AwsStsConnection } from './connection';
import { planSession } from './handle';
import { awsStsParameters } from './parameters';
import type { AwsStsParameters } from './parameters';
import { sessionSpan } from './span';

const load = () => loadClient('aws_sts', () => import('./integration.js'));

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
  forReaders: ['region'],
  load,
  connect: (connection, deps) => connectLazily(async () => (await load()).connectAwsSts(connection, deps)),
};
