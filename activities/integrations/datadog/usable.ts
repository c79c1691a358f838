import { setTimeout as sleep } from 'node:timers/promises';
import { IntegrationError } from '../integration';
import { openReader } from './calls';
import type { Call, CallContext } from './calls';
import { ownKeys } from './own-keys';

/** Datadog has many entrances, and one success proves little of the others. */
const SUCCESSES_IN_A_ROW = 2;

/** Whether an API key is accepted. Needs no permission. */
const validateApiKey: Call<void> = {
  operation: 'Validate',
  permission: null,
  send: async ({ AuthenticationApi }, configuration) => {
    await new AuthenticationApi(configuration).validate();
  },
};

/** Whether an API key and an application key are accepted, whatever the scopes. Needs no permission. */
export const validatePair: Call<void> = {
  operation: 'ValidateAPIKey',
  permission: null,
  send: async ({ KeyManagementApi }, configuration) => {
    await new KeyManagementApi(configuration).validateAPIKey();
  },
};

/**
 * Waits until Datadog accepted the new keys several times in a row.
 * @param until when to stop waiting, whatever Datadog says.
 * @returns the instant of the last success, or null when it was not seen in time.
 */
export async function awaitUsable(
  context: CallContext,
  made: { readonly apiKey: string | undefined; readonly appKey: string | undefined },
  options: { readonly until: Date; readonly everyMs: number; readonly signal: AbortSignal },
): Promise<Date | null> {
  const left = options.until.getTime() - Date.now();
  if (left <= 0) return null;
  const call = made.appKey === undefined ? validateApiKey : validatePair;
  const keys = {
    // An application key is only ever used together with some API key.
    apiKey: made.apiKey ?? ownKeys(context, call.operation).apiKey,
    appKey: made.appKey ?? '',
  };
  const timeUp = new AbortController();
  const timer = setTimeout(() => {
    timeUp.abort();
  }, left);
  const signal = AbortSignal.any([options.signal, timeUp.signal]);
  const reader = openReader(context, signal, undefined, keys);
  try {
    for (let successes = 0; ;) {
      const outcome = await attempt(() => reader.read(call));
      signal.throwIfAborted();
      successes = outcome.isAccepted ? successes + 1 : 0;
      if (successes === SUCCESSES_IN_A_ROW) return new Date();
      await sleep(Math.max(options.everyMs, outcome.waitMs), undefined, { signal });
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (timeUp.signal.aborted) return null;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Every answer but a success means: not yet, or not known. */
async function attempt(act: () => Promise<void>): Promise<{ readonly isAccepted: boolean; readonly waitMs: number }> {
  try {
    await act();
    return { isAccepted: true, waitMs: 0 };
  } catch (error) {
    const waitMs = error instanceof IntegrationError ? (error.facts.retryAfterMs ?? 0) : 0;
    return { isAccepted: false, waitMs };
  }
}
