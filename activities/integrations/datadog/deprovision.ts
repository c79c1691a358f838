import { IntegrationError } from '../integration';
import type { Removal } from '../integration';
import { apiKeys } from './api-keys';
import { applicationKeys } from './application-keys';
import type { Calls } from './calls';
import { isDenied, isNotFound } from './errors';
import type { KeysHandle } from './handle';
import { deleteKey, findKeys } from './keys';
import type { KeyKind, ListedKey } from './keys';
import type { Pace } from './pace';

/**
 * Deletes every key of the lease's name, of both kinds that it may have. What one kind is refused must not keep the other
 * alive: that goes all the same, and the refusal is told afterwards.
 */
export async function deprovisionKeys(calls: Calls, handle: KeysHandle, pace: Pace): Promise<Removal> {
  let isRemoved = false;
  let denial: IntegrationError | undefined;
  // The application key goes first: it can do more.
  for (const kind of kindsOf(handle)) {
    try {
      if (await clear(calls, kind, handle.name, pace)) isRemoved = true;
    } catch (error) {
      if (!isDenied(error)) throw error;
      denial ??= error;
    }
  }
  if (denial !== undefined) throw denial;
  return { result: isRemoved ? 'removed' : 'absent' };
}

/** The kinds of key that a lease has, to be found and deleted. */
export function kindsOf({ apiKey, serviceAccount }: KeysHandle): KeyKind[] {
  return [...(serviceAccount === null ? [] : [applicationKeys(serviceAccount)]), ...(apiKey ? [apiKeys] : [])];
}

/** Deletes until a list shows none of the name. Answers whether there was any. */
async function clear(calls: Calls, kind: KeyKind, name: string, pace: Pace): Promise<boolean> {
  let isRemoved = false;
  for (let pauseMs = pace.firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, pace.longestPauseMs)) {
    for (const { id } of await findOrNone(calls, kind, name)) {
      if (await deleteKey(calls, kind, id)) isRemoved = true;
    }
    if (!isRemoved || (await findOrNone(calls, kind, name)).length === 0) return isRemoved;
    if (pauseMs >= pace.longestPauseMs || calls.remaining() < pauseMs + pace.reserveMs) {
      throw new IntegrationError('Unavailable', {
        operation: kind.remove('').operation,
        entity: name,
        hint: `The ${kind.what} is deleted, but Datadog still lists it.`,
      });
    }
    await calls.pause(pauseMs);
  }
}

/** A service account that Datadog does not know any more took its application keys with it. */
async function findOrNone(calls: Calls, kind: KeyKind, name: string): Promise<ListedKey[]> {
  try {
    return await findKeys(calls, kind, name);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}
