import { IntegrationError } from '../integration';
import type { Facts, Removal } from '../integration';
import { apiKeys } from './api-keys';
import { allApplicationKeys, applicationKeys } from './application-keys';
import type { Calls } from './calls';
import { isDenied } from './errors';
import type { KeysHandle } from './handle';
import { deleteKey, findKeys, findKeysIfAny } from './keys';
import type { KeyKind } from './keys';
import type { Pace } from './pace';
import { assertNotRenamed, toldId } from './renamed';

/**
 * Deletes every key of the lease's name, of both kinds that it may have. Whatever goes wrong with one kind must not keep the
 * other alive: that goes all the same, and the failure is told afterwards.
 */
export async function deprovisionKeys(calls: Calls, handle: KeysHandle, facts: Facts, pace: Pace): Promise<Removal> {
  const outcomes: Outcome[] = [];
  let failure: IntegrationError | undefined;
  // The application key goes first: it can do more.
  for (const kind of kindsOf(handle)) {
    try {
      outcomes.push(await clear(calls, kind, handle.name, toldId(facts, kind), pace));
    } catch (error) {
      // Who is told to wait waits.
      if (!(error instanceof IntegrationError) || error.type === 'Throttled') throw error;
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  // Of a kind of which nothing was deleted there is Datadog's word alone, and a list may not show yet what was just made: the
  // lease's own rules decide how often to look again.
  const isRemoved = outcomes.every((outcome) => outcome === 'removed');
  return { result: isRemoved ? 'removed' : 'absent' };
}

/** The kinds of key that a lease has, to be found and deleted. */
export function kindsOf({ apiKey, serviceAccount }: KeysHandle): KeyKind[] {
  return [...(serviceAccount === null ? [] : [applicationKeys(serviceAccount)]), ...(apiKey ? [apiKeys] : [])];
}

/** `no owner`: the account is gone, and its keys with it. */
type Outcome = 'removed' | 'absent' | 'no owner';

/**
 * Deletes until a list shows none of the name.
 * @param made id of the key that provision made; null: not known.
 */
async function clear(calls: Calls, kind: KeyKind, name: string, made: string | null, pace: Pace): Promise<Outcome> {
  const deleted = new Set<string>();
  for (let pauseMs = 0; ; pauseMs = Math.min(Math.max(pauseMs * 2, pace.firstPauseMs), pace.longestPauseMs)) {
    const found = await findKeysIfAny(calls, kind, name);
    if (found === 'no owner') {
      await assertUnlisted(calls, kind, name, made);
      return found;
    }
    if (found.length === 0) {
      // What was seen to be deleted needs no other look.
      if (made !== null && !deleted.has(made)) await assertNotRenamed(calls, kind, name, made);
      return deleted.size > 0 ? 'removed' : 'absent';
    }
    if (pauseMs >= pace.longestPauseMs || calls.remaining() < pauseMs + pace.reserveMs) {
      throw stillListed(kind, name, `The ${kind.what} is deleted, but Datadog still lists it.`);
    }
    if (pauseMs > 0) await calls.pause(pauseMs);
    for (const { id } of found) {
      if (await deleteKey(calls, kind, id)) deleted.add(id);
    }
  }
}

/** Whoever may look at all application keys makes sure that none of an account that is said to be gone is left. */
async function assertUnlisted(calls: Calls, kind: KeyKind, name: string, made: string | null): Promise<void> {
  try {
    if ((await findKeys(calls, allApplicationKeys, name)).length === 0) {
      if (made !== null) await assertNotRenamed(calls, allApplicationKeys, name, made);
      return;
    }
  } catch (error) {
    if (isDenied(error)) return;
    throw error;
  }
  throw stillListed(kind, name, `Datadog knows no service account ${kind.owner ?? ''}, and yet lists its key.`);
}

function stillListed(kind: KeyKind, entity: string, hint: string): IntegrationError {
  return new IntegrationError('Unavailable', { operation: kind.list(entity, 0).operation, entity, hint });
}
