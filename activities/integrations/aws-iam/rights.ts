import { AddUserToGroupCommand, AttachUserPolicyCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import type { Calls } from './calls';
import { isNotFound, restate } from './errors';
import type { UserHandle } from './handle';
import { findUser } from './look';
import type { Pace } from './pace';
import type { AwsIamParameters } from './parameters';
import { LEASE_POLICY } from './revocation';

/** Gives the user what the dynamic secret grants. Each call may be repeated without harm. */
export async function grantRights(
  calls: Calls,
  handle: UserHandle,
  parameters: AwsIamParameters,
  pace: Pace,
): Promise<void> {
  const { policy: document, policy_arns: arns, groups } = parameters;
  const UserName = handle.userName;
  if (document !== undefined) {
    await whenVisible(calls, handle, pace, null, () =>
      calls.change(new PutUserPolicyCommand({ UserName, PolicyName: LEASE_POLICY, PolicyDocument: document })),
    );
  }
  for (const arn of arns) {
    await whenVisible(calls, handle, pace, `policy ${arn}`, () =>
      calls.change(new AttachUserPolicyCommand({ UserName, PolicyArn: arn })),
    );
  }
  for (const group of groups) {
    await whenVisible(calls, handle, pace, `group ${group}`, () =>
      calls.change(new AddUserToGroupCommand({ UserName, GroupName: group })),
    );
  }
}

/**
 * Repeats a call while IAM does not find the user that was just made.
 * @param other what else the call names: when that is missing, waiting helps nobody, and once the user itself was seen
 * for long enough the call fails as `InvalidInput`.
 */
export async function whenVisible<T>(
  calls: Calls,
  handle: UserHandle,
  pace: Pace,
  other: string | null,
  act: () => Promise<T>,
): Promise<T> {
  const started = Date.now();
  let seenSince: number | undefined;
  for (let pauseMs = pace.firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, pace.longestPauseMs)) {
    try {
      return await act();
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const now = Date.now();
      if (other !== null && seenSince !== undefined && now - seenSince >= pace.missingAfterMs) {
        throw restate(error, 'InvalidInput', `There is no ${other} in this AWS account: correct the parameters.`);
      }
      if (now - started + pauseMs > pace.visibleWithinMs || calls.remaining() < pauseMs + pace.reserveMs) {
        throw restate(error, 'Unavailable', 'IAM does not show the new user everywhere yet.');
      }
    }
    await calls.pause(pauseMs);
    if (other !== null) {
      seenSince = (await findUser(calls, handle)) === undefined ? undefined : (seenSince ?? Date.now());
    }
  }
}
