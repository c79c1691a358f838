import { DeleteUserPolicyCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { hasCode, isDenied } from '../aws/errors';
import { removeInlinePolicies } from './attachments';
import type { Calls } from './calls';
import { firstFailure } from './first-failure';
import { ignoreAbsence } from './remove-each';
import { DENY_EVERYTHING, REVOKED_POLICY } from './revocation';

/**
 * Makes the user powerless. Where its other inline policies leave no room for that, they go first. Removal must not fail for want of
 * this: without the right to it the keys still go next.
 */
export async function denyEverything(calls: Calls, UserName: string): Promise<void> {
  const policy = { UserName, PolicyName: REVOKED_POLICY, PolicyDocument: DENY_EVERYTHING };
  const deny = () => ignoreAbsence(() => calls.change(new PutUserPolicyCommand(policy)));
  const makeRoom = () => ignoreAbsence(() => removeInlinePolicies(calls, UserName, [REVOKED_POLICY]));
  let failure = await firstFailure([deny]);
  if (hasCode(failure, 'LimitExceeded')) failure = await firstFailure([makeRoom, deny]);
  const isBearable = hasCode(failure, 'LimitExceeded') || isDenied(failure);
  if (failure !== undefined && !isBearable) throw failure;
}

export async function liftDenial(calls: Calls, UserName: string): Promise<void> {
  await ignoreAbsence(() => calls.change(new DeleteUserPolicyCommand({ UserName, PolicyName: REVOKED_POLICY })));
}
