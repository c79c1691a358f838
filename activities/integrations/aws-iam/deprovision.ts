import { DeleteUserCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { IntegrationError } from '../integration';
import type { Removal } from '../integration';
import { removeAttachments } from './attachments';
import type { Calls } from './calls';
import { hasCode } from '../aws/errors';
import type { UserHandle } from './handle';
import { deleteKeys } from './keys';
import { findUser } from './look';
import type { Pace } from './pace';
import { removeRareCredentials } from './rare-credentials';
import { ignoreAbsence } from './remove-each';
import { DENY_EVERYTHING, REVOKED_POLICY } from './revocation';

/** After so many conflicts in a row the attempt ends; Temporal brings the next. */
const MAX_ROUNDS = 4;

/**
 * Removes the lease's user from whatever state it is in: first everything is denied, then every key goes, then the rest.
 * @throws IntegrationError `Refused` when the name belongs to somebody else, who is not touched.
 */
export async function deprovisionUser(calls: Calls, handle: UserHandle, pace: Pace): Promise<Removal> {
  if ((await findUser(calls, handle)) === undefined) return { result: 'absent' };
  const deleted = await deleteUser(calls, handle.userName, pace);
  await proveAbsence(calls, handle, pace);
  // A user that IAM showed and then did not find for deletion was deleted by an earlier attempt, or is one that not every
  // endpoint knows yet: no proof.
  return { result: deleted ? 'removed' : 'absent' };
}

/** Tells whether IAM confirmed the deletion; false when it found no user. */
async function deleteUser(calls: Calls, userName: string, pace: Pace): Promise<boolean> {
  for (let round = 1; ; round += 1) {
    await denyEverything(calls, userName);
    await ignoreAbsence(() => deleteKeys(calls, userName));
    // IAM refuses to delete a user that still has one of these, so they cost their six calls only when there are any.
    if (round > 1) await removeRareCredentials(calls, userName);
    await removeAttachments(calls, userName);
    try {
      return await ignoreAbsence(() => calls.change(new DeleteUserCommand({ UserName: userName })));
    } catch (error) {
      if (!hasCode(error, 'DeleteConflict') || round === MAX_ROUNDS || calls.remaining() < pace.reserveMs) throw error;
    }
    if (round > 1) await calls.pause(pace.firstPauseMs);
  }
}

/** Removal must not fail for want of this: without room, or without the right to it, the keys still go next. */
async function denyEverything(calls: Calls, userName: string): Promise<void> {
  const command = new PutUserPolicyCommand({
    UserName: userName,
    PolicyName: REVOKED_POLICY,
    PolicyDocument: DENY_EVERYTHING,
  });
  try {
    await ignoreAbsence(() => calls.change(command));
  } catch (error) {
    if (hasCode(error, 'LimitExceeded') || hasCode(error, 'AccessDenied')) return;
    throw error;
  }
}

async function proveAbsence(calls: Calls, handle: UserHandle, pace: Pace): Promise<void> {
  for (let pauseMs = pace.firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, pace.longestPauseMs)) {
    if ((await findUser(calls, handle)) === undefined) return;
    if (pauseMs >= pace.longestPauseMs || calls.remaining() < pauseMs + pace.reserveMs) {
      throw new IntegrationError('Unavailable', {
        operation: 'GetUser',
        entity: handle.userName,
        hint: 'The user is deleted, but IAM still shows it.',
      });
    }
    await calls.pause(pauseMs);
  }
}
