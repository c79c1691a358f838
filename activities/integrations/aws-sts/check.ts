import { readIdentity } from '../aws/identity';
import type { SendContext } from '../aws/send';
import type { Check } from '../integration';
import type { AwsStsConnection } from './connection';

/** Asks STS who the orchestrator is. The right to assume a role cannot be tried without making a session that nobody could end. */
export async function checkConnection(
  context: SendContext,
  connection: AwsStsConnection,
  signal: AbortSignal,
): Promise<Check> {
  const { arn } = await readIdentity(context, connection, signal);
  const isSession = arn.includes(':assumed-role/');
  return {
    identity: arn,
    missingRights: [],
    untriedRights: ['sts:AssumeRole'],
    quota: null,
    notes: isSession
      ? ['The orchestrator works with a role session itself: AWS then makes no session of more than one hour.']
      : [],
  };
}
