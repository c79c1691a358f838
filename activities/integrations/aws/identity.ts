import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { IntegrationError } from '../integration';
import type { AwsConnection } from './connection';
import { sendRead } from './send';
import type { SendContext } from './send';
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
  context: SendContext,
  connection: AwsConnection,
  signal: AbortSignal,
): Promise<Identity> {
  const sts = new STSClient({
    ...CLIENT_DEFAULTS,
    ...stsEndpoint(connection),
    region: regionOf(connection),
    credentials: context.credentials.provide,
  });
  try {
    const { Arn: arn } = await sendRead(context, signal, { operation: OPERATION }, () =>
      sts.send(new GetCallerIdentityCommand({}), { abortSignal: signal }),
    );
    return parseArn(arn);
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
