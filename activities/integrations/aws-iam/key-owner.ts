import { GetAccessKeyLastUsedCommand } from '@aws-sdk/client-iam';
import { IntegrationError } from '../integration';
import type { Facts } from '../integration';
import { isDenied, isNotFound } from '../aws/errors';
import { ACCESS_KEY_ID, NAME } from '../aws/syntax';
import type { Calls, Reader } from './calls';
import type { UserHandle } from './handle';
import type { Pace } from './pace';

/** What the fact is called by which a key is found again whose user was renamed. */
export const KEY_FACT = 'access_key_id';

/** Of the lease's key, as provision told it. A fact of another shape is none. */
export function readKeyId(facts: Facts): string | undefined {
  const id = facts[KEY_FACT];
  return id !== undefined && ACCESS_KEY_ID.test(id) ? id : undefined;
}

/**
 * To be asked once there is no user of the lease's name: a holder that may rename its own user takes the key along. Whoever has it
 * is not touched, for the id comes from history, where whoever may write there can have put the key of anybody.
 * @throws IntegrationError `Refused` when another user has the key.
 */
export async function assertKeyGone(
  calls: Calls,
  { userName }: UserHandle,
  id: string | undefined,
  pace: Pace,
): Promise<void> {
  if (id === undefined) return;
  for (let pauseMs = pace.firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, pace.longestPauseMs)) {
    const owner = await readOwner(calls, id);
    if (owner === undefined) return;
    if (owner !== userName) throw renamed(userName, id, owner);
    // IAM shows the key of a user that it does not show. What it has not heard of yet is a deletion or a new name: only a name that
    // it tells is a finding, for it may remember whose a deleted key was.
    if (pauseMs >= pace.longestPauseMs || calls.remaining() < pauseMs + pace.reserveMs) return;
    await calls.pause(pauseMs);
  }
}

/** Undefined: IAM knows no such key, or does not tell whose it is. */
async function readOwner(reader: Reader, AccessKeyId: string): Promise<string | undefined> {
  try {
    const { UserName: owner } = await reader.read(new GetAccessKeyLastUsedCommand({ AccessKeyId }));
    return owner !== undefined && NAME.test(owner) ? owner : undefined;
  } catch (error) {
    // A key that is gone may be refused to whoever has the right. Whoever lacks it removes users all the same.
    if (isNotFound(error) || isDenied(error)) return undefined;
    throw error;
  }
}

function renamed(entity: string, id: string, owner: string): IntegrationError {
  return new IntegrationError('Refused', {
    operation: 'GetAccessKeyLastUsed',
    entity,
    hint:
      `The lease's key ${id} lives on: the user ${owner} has it, who was not touched. If that is the lease's own user, which somebody ` +
      `renamed, rename it back to ${entity}, and it is removed; else delete the key by hand.`,
  });
}
