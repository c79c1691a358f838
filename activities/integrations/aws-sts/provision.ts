import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import type { AssumeRoleCommandOutput, STSClient } from '@aws-sdk/client-sts';
import { resolveExternalId } from '../aws/credential-source';
import { hasCode } from '../aws/errors';
import { restate } from '../own-errors';
import { beforeSending, INNERMOST, sendChange } from '../aws/send';
import type { SendContext } from '../aws/send';
import { IntegrationError } from '../integration';
import type { Attempt, IntegrationDeps, Made } from '../integration';
import type { SessionHandle } from './handle';
import type { AwsStsParameters } from './parameters';

const OPERATION = 'AssumeRole';
const CHAINED =
  'Sessions of other roles that it obtains with sts:AssumeRole may live on for up to an hour after it. ' +
  'Deny it sts:AssumeRole in the session policy to prevent them.';

export interface SessionContext extends SendContext {
  readonly client: STSClient;
  readonly resolveReference: IntegrationDeps['resolveReference'];
}

/**
 * Makes a session of the role. There is nothing to look for first: STS lists no sessions, and one whose answer was lost is
 * known to nobody and ends by itself.
 */
export async function provisionSession(
  context: SessionContext,
  handle: SessionHandle,
  parameters: AwsStsParameters,
  { fence }: Attempt,
): Promise<Made> {
  const { client, resolveReference } = context;
  const { sessionName, roleArn } = handle;
  const subject = { operation: OPERATION, entity: sessionName };
  if (parameters.role_arn !== roleArn) {
    const hint = 'The dynamic secret names another role than when this lease was planned. Issue a new lease.';
    throw new IntegrationError('Refused', { ...subject, hint });
  }
  const { policy, policy_arns: arns, external_id: externalId } = parameters;
  const tags = Object.entries(parameters.tags);
  const command = new AssumeRoleCommand({
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    DurationSeconds: handle.durationSeconds,
    ...(policy === undefined ? {} : { Policy: policy }),
    ...(arns.length === 0 ? {} : { PolicyArns: arns.map((arn) => ({ arn })) }),
    ...(externalId === undefined ? {} : { ExternalId: resolveExternalId(externalId, resolveReference) }),
    ...(tags.length === 0 ? {} : { Tags: tags.map(([Key, Value]) => ({ Key, Value })) }),
  });
  try {
    const answer = await sendChange(context, fence, subject, (check) => {
      command.middlewareStack.add(beforeSending(check), INNERMOST);
      return client.send(command);
    });
    return readSession(answer, handle);
  } catch (error) {
    throw advise(error, handle);
  }
}

function readSession(
  { Credentials: session, AssumedRoleUser: user }: AssumeRoleCommandOutput,
  handle: SessionHandle,
): Made {
  const { AccessKeyId: id, SecretAccessKey: secret, SessionToken: token, Expiration: end } = session ?? {};
  if (id === undefined || secret === undefined || token === undefined || end === undefined) {
    const hint = 'The answer held no session.';
    throw new IntegrationError('Unavailable', { operation: OPERATION, entity: handle.sessionName, hint });
  }
  const endsAt = end.toISOString();
  return {
    credential: { ACCESS_KEY_ID: id, SECRET_ACCESS_KEY: secret, SESSION_TOKEN: token },
    usableAt: null,
    facts: {
      role_arn: handle.roleArn,
      session_name: handle.sessionName,
      session_ends_at: endsAt,
      ...(user?.Arn === undefined ? {} : { arn: user.Arn }),
    },
    notes: [
      `This session cannot be recalled before it ends by itself at ${endsAt}. A revoke is answered by waiting for that: until then ` +
        'the lease is being removed, and whoever has the credential can use it. ' +
        `An administrator of the role can deny it everything at once: by its name ${handle.sessionName} in aws:userid, ` +
        'or every session of the role made until now by aws:TokenIssueTime.',
      CHAINED,
    ],
  };
}

/** What AWS's refusal most probably means here. */
function advise(error: unknown, { durationSeconds }: SessionHandle): unknown {
  if (hasCode(error, 'AccessDenied')) {
    const hint =
      "The role must exist, and its trust policy and the orchestrator's own policy must both allow sts:AssumeRole on it, " +
      'and sts:TagSession if there are tags; an external_id must be the one that the trust policy asks for.';
    return restate(error, 'Refused', hint);
  }
  if (hasCode(error, 'ValidationError')) {
    const hint =
      `Most often the session is longer than the role allows: this one is of ${durationSeconds} s, the TTL and the issue_timeout ` +
      "together. Raise the role's maximum session duration or ask for a shorter TTL. " +
      'It is one hour at most while the orchestrator itself works with a role session.';
    return restate(error, 'InvalidInput', hint);
  }
  if (hasCode(error, 'PackedPolicyTooLarge')) {
    return restate(error, 'InvalidInput', 'Session policy, policy_arns and tags are too long together: shorten them.');
  }
  if (hasCode(error, 'RegionDisabled')) {
    return restate(
      error,
      'InvalidInput',
      "Activate STS for the integration's region in the account, or name another region.",
    );
  }
  return error;
}
