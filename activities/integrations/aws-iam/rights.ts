import { AddUserToGroupCommand, AttachUserPolicyCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import type { Calls } from './calls';
import { isDenied, isNotFound } from '../aws/errors';
import { restate } from '../own-errors';
import type { UserHandle } from './handle';
import { findNewUser } from './look';
import type { Pace } from './pace';
import type { AwsIamParameters } from './parameters';
import { LEASE_POLICY } from './revocation';

const UNSEEN_YET = 'IAM does not show the new user everywhere yet.';
const REFUSED_YET =
  'IAM shows the new user and refuses the call all the same. Grant the orchestrator this action if that lasts.';

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
 * Repeats a call while IAM does not find the user that was just made, or refuses the call because of that: it decides on a
 * user that it does not see as if that one stood under `/` and under no boundary. Once the user itself was seen for long
 * enough, a refusal is one.
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
      const denied = isDenied(error);
      if (!denied && !isNotFound(error)) throw error;
      const isSeen = (denied || other !== null) && (await findNewUser(calls, handle)) !== undefined;
      const now = Date.now();
      seenSince = isSeen ? (seenSince ?? now) : undefined;
      const seenMs = now - (seenSince ?? now);
      if (denied && seenMs >= pace.refusedAfterMs) throw error;
      if (!denied && other !== null && seenMs >= pace.missingAfterMs) {
        throw restate(error, 'InvalidInput', `There is no ${other} in this AWS account: correct the parameters.`);
      }
      const waitMs = denied && isSeen ? Math.min(pauseMs, pace.refusedAfterMs - seenMs) : pauseMs;
      if (now - started + waitMs > pace.visibleWithinMs || calls.remaining() < waitMs + pace.reserveMs) {
        throw restate(error, 'Unavailable', denied && isSeen ? REFUSED_YET : UNSEEN_YET);
      }
      await calls.pause(waitMs);
    }
  }
}
