import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { IntegrationError } from '../integration';
import { describeFailure } from './calls';
import type { CallContext } from './calls';
import type { AwsIamConnection } from './connection';
import { CLIENT_DEFAULTS, regionOf, stsEndpoint } from './settings';

/** As whom AWS knows the orchestrator. */
export interface Identity {
  readonly arn: string;
  readonly partition: string;
  readonly account: string;
}

const OPERATION = 'GetCallerIdentity';

/** Asks STS, which needs no right: a refusal is one of the credentials themselves. */
export async function readIdentity(
  context: CallContext,
  connection: AwsIamConnection,
  signal: AbortSignal,
): Promise<Identity> {
  const sts = new STSClient({
    ...CLIENT_DEFAULTS,
    ...stsEndpoint(connection),
    region: regionOf(connection),
    credentials: context.credentials.provide,
  });
  try {
    await context.throttle(signal);
    const { Arn: arn } = await sts.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
    return parseArn(arn);
  } catch (error) {
    signal.throwIfAborted();
    throw describeFailure(context, error, OPERATION);
  } finally {
    sts.destroy();
  }
}

function parseArn(arn: string | undefined): Identity {
  const [, partition, account] = /^arn:([a-z][a-z0-9-]*):(?:iam|sts)::(\d{12}):/.exec(arn ?? '') ?? [];
  if (arn === undefined || partition === undefined || account === undefined) {
    throw new IntegrationError('Unavailable', { operation: OPERATION, hint: 'The answer held no ARN.' });
  }
  return { arn, partition, account };
}
