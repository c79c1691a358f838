import { DeleteUserCommand } from '@aws-sdk/client-iam';
import { IntegrationError } from '../integration';
import type { Facts, Removal } from '../integration';
import { removeAttachments } from './attachments';
import type { Calls } from './calls';
import { denyEverything, liftDenial } from './denial';
import { hasCode } from '../aws/errors';
import { firstFailure } from './first-failure';
import type { UserHandle } from './handle';
import { assertKeyGone, readKeyId } from './key-owner';
import { deleteKeys } from './keys';
import { findUser } from './look';
import type { Pace } from './pace';
import { removeRareCredentials } from './rare-credentials';
import { ignoreAbsence } from './remove-each';
import { REVOKED_POLICY } from './revocation';

/** After so many conflicts in a row the attempt ends; Temporal brings the next. */
const MAX_ROUNDS = 4;

/** Until everything else is gone. */
const BUT_THE_DENIAL = { groups: [], policyArns: [], inline: [REVOKED_POLICY] };

/**
 * Removes the lease's user from whatever state it is in: first everything is denied, then every key goes, then the rest.
 * @param facts what provision told, if it did.
 * @throws IntegrationError `Refused` when the name belongs to somebody else, or somebody else has the key, who is not touched.
 */
export async function deprovisionUser(calls: Calls, handle: UserHandle, facts: Facts, pace: Pace): Promise<Removal> {
  const keyId = readKeyId(facts);
  if ((await findUser(calls, handle)) === undefined) {
    await assertKeyGone(calls, handle, keyId, pace);
    return { result: 'absent' };
  }
  const { deleted, keys } = await deleteUser(calls, handle.userName, pace);
  await proveAbsence(calls, handle, pace);
  if (keyId !== undefined && !keys.has(keyId)) await assertKeyGone(calls, handle, keyId, pace);
  // A user that IAM showed and then did not find for deletion was deleted by an earlier attempt, or is one that not every
  // endpoint knows yet: no proof.
  return { result: deleted ? 'removed' : 'absent' };
}

interface Deletion {
  /** Whether IAM confirmed the deletion; false when it found no user. */
  readonly deleted: boolean;
  /** The keys whose deletion it confirmed. */
  readonly keys: ReadonlySet<string>;
}

async function deleteUser(calls: Calls, userName: string, pace: Pace): Promise<Deletion> {
  const keys = new Set<string>();
  let deleted = false;
  const deleteAllKeys = async () => {
    for (const id of await deleteKeys(calls, userName)) keys.add(id);
  };
  const removeRare = () => ignoreAbsence(() => removeRareCredentials(calls, userName));
  const deleteEmptied = async () => {
    await liftDenial(calls, userName);
    deleted = await ignoreAbsence(() => calls.change(new DeleteUserCommand({ UserName: userName })));
  };
  for (let round = 1; ; round += 1) {
    const failure =
      (await firstFailure([
        () => denyEverything(calls, userName),
        () => ignoreAbsence(deleteAllKeys),
        // IAM refuses to delete a user that still has one of these, so they cost their six calls only when there are any.
        ...(round > 1 ? [removeRare] : []),
        () => ignoreAbsence(() => removeAttachments(calls, userName, BUT_THE_DENIAL)),
      ])) ?? (await firstFailure([deleteEmptied]));
    if (failure === undefined) return { deleted, keys };
    if (!hasCode(failure, 'DeleteConflict') || round === MAX_ROUNDS || calls.remaining() < pace.reserveMs) {
      // IAM did not come to say whether there are any.
      if (round === 1) await firstFailure([removeRare]);
      throw failure;
    }
    if (round > 1) await calls.pause(pace.firstPauseMs);
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
