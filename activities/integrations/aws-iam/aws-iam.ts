import type { IntegrationType } from '../integration';
import { connectLazily, loadClient } from '../lazy-client';
import { awsIamConnection } from './connection';
import type { AwsIamConnection } from './connection';
import { planUser } from './handle';
import { awsIamParameters } from './parameters';
import type { AwsIamParameters } from './parameters';

const load = () => loadClient('aws_iam', () => import('./integration.js'));

/** One IAM user with one access key for each lease. */
export const awsIam: IntegrationType<AwsIamConnection, AwsIamParameters> = {
  type: 'aws_iam',
  kind: 'AWS IAM user',
  connection: awsIamConnection,
  parameters: awsIamParameters,
  fields: () => ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY'],
  consistencyWindowMs: 5 * 60_000,
  plan: planUser,
  forReaders: ['region'],
  load,
  connect: (connection, deps) => connectLazily(async () => (await load()).connectAwsIam(connection, deps)),
};
