import { wantsApiKey, wantsApplicationKey } from './kinds';
import type { DatadogParameters } from './parameters';

/** What no removal undoes. */
export const NOT_RECALLABLE =
  'What was sent, read or changed with these keys stays so when the lease ends. Datadog does not say for how long one of its ' +
  'entrances may honour a key that is deleted.';

export function describeUnseen({ keys, wait_until_usable: isWaiting }: DatadogParameters): string {
  const what = wantsApiKey(keys) && wantsApplicationKey(keys) ? 'keys' : 'key';
  return isWaiting
    ? `Datadog was not yet seen to accept the ${what} several times in a row: first calls may be refused for some seconds.`
    : `Not waited for: Datadog may refuse the ${what} for some seconds.`;
}
