import { IntegrationError } from '../integration';
import type { Made } from '../integration';
import { apiKeys } from './api-keys';
import { applicationKeys } from './application-keys';
import type { CallContext, Calls } from './calls';
import { isNotFound } from './errors';
import { restate } from '../own-errors';
import type { KeysHandle } from './handle';
import { deleteKey, findKeys } from './keys';
import type { KeyKind, NewKey } from './keys';
import { wantsApiKey } from './kinds';
import { describeUnseen, NOT_RECALLABLE } from './notes';
import type { Pace } from './pace';
import type { DatadogParameters } from './parameters';
import { awaitUsable } from './usable';

/** Makes the lease's keys, one of each kind, in place of whatever earlier attempts left. */
export async function provisionKeys(
  calls: Calls,
  handle: KeysHandle,
  parameters: DatadogParameters,
  context: CallContext,
  pace: Pace,
): Promise<Made> {
  assertPlanned(handle, parameters);
  const { name, serviceAccount } = handle;
  const application = serviceAccount === null ? null : applicationKeys(serviceAccount, parameters.scopes ?? null);
  const api = handle.apiKey ? apiKeys : null;
  // The application key comes first: making it fails for more reasons, and the fewer keys then have to be deleted again.
  const kinds = [application, api].filter((kind) => kind !== null);
  const made = await refusingUnknownOwner(async () => {
    // The value of a key that an earlier attempt made was told once, and is lost.
    for (const kind of kinds) await deleteAll(calls, kind, name);
    const keys = new Map<KeyKind, NewKey>();
    for (const kind of kinds) keys.set(kind, await createOnly(calls, kind, name, pace));
    return keys;
  });
  const apiKey = api === null ? undefined : made.get(api);
  const appKey = application === null ? undefined : made.get(application);
  const usableAt = parameters.wait_until_usable
    ? await awaitUsable(
        context,
        { apiKey: apiKey?.value, appKey: appKey?.value },
        {
          until: new Date(Date.now() + Math.min(parameters.usable_timeout, calls.remaining() - pace.reserveMs)),
          everyMs: pace.usableEveryMs,
          signal: calls.attempt.fence.signal,
        },
      )
    : null;
  return {
    credential: {
      ...(apiKey === undefined ? {} : { API_KEY: apiKey.value }),
      ...(appKey === undefined ? {} : { APP_KEY: appKey.value }),
      SITE: context.connection.site,
    },
    usableAt,
    facts: {
      key_name: name,
      ...(apiKey === undefined ? {} : { api_key_id: apiKey.id }),
      ...(appKey === undefined ? {} : { app_key_id: appKey.id }),
      ...(serviceAccount === null ? {} : { service_account: serviceAccount }),
    },
    notes: [...(usableAt === null ? [describeUnseen(parameters)] : []), NOT_RECALLABLE],
  };
}

/**
 * The scopes come from the dynamic secret as it is now, all else from the plan: a secret that changed in between, and asks for
 * no application key any more, must not lead to one without scopes.
 */
function assertPlanned({ name, apiKey, serviceAccount }: KeysHandle, parameters: DatadogParameters): void {
  const { keys, service_account: account = null } = parameters;
  if (apiKey === wantsApiKey(keys) && serviceAccount === account) return;
  throw new IntegrationError('InvalidInput', {
    operation: 'Provisioning',
    entity: name,
    hint: 'The dynamic secret was changed after this lease was planned. Issue a new one.',
  });
}

/**
 * Makes a key and sees to it that it is the only one of its name. What an earlier attempt asked for may have been on its way while
 * the first look was taken, and a list that does not show the newest key yet may hide that one as well.
 */
async function createOnly(calls: Calls, kind: KeyKind, name: string, pace: Pace): Promise<NewKey> {
  const key = await calls.change(kind.create(name));
  for (let pauseMs = pace.firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, pace.longestPauseMs)) {
    const found = await findKeys(calls, kind, name);
    if (found.some(({ id }) => id === key.id)) {
      for (const { id } of found) if (id !== key.id) await deleteKey(calls, kind, id);
      return key;
    }
    if (calls.remaining() < pauseMs + pace.reserveMs) {
      throw new IntegrationError('Unavailable', {
        operation: kind.list(name, 0).operation,
        entity: name,
        hint: `The ${kind.what} is made, but Datadog does not list it yet.`,
      });
    }
    await calls.pause(pauseMs);
  }
}

async function deleteAll(calls: Calls, kind: KeyKind, name: string): Promise<void> {
  for (const { id } of await findKeys(calls, kind, name)) await deleteKey(calls, kind, id);
}

/** An account that does not exist is no matter of waiting. */
async function refusingUnknownOwner<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!isNotFound(error) || error.facts.hint === undefined) throw error;
    throw restate(error, 'Refused', error.facts.hint);
  }
}
