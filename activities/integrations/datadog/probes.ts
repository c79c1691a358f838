import { randomUUID } from 'node:crypto';
import { apiKeys } from './api-keys';
import { allApplicationKeys, applicationKeys } from './application-keys';
import type { Call } from './calls';
import type { DatadogConnection } from './connection';
import { wantsApiKey, wantsApplicationKey } from './kinds';
import { countApiKeys } from './quota';
import { apiKeyToRename } from './requests';

/**
 * Calls that each need a permission and change nothing: they only read, or name keys and accounts that do not exist. Datadog
 * looks for permissions first and for the thing afterwards, so who has the permission hears 404.
 * @param prefix only keys of such names are asked for.
 */
export function probesFor({ keys, name_prefix: prefix }: DatadogConnection): Call<unknown>[] {
  const nobody = applicationKeys(randomUUID());
  return [
    ...(wantsApiKey(keys) ? [countApiKeys, renameApiKey(randomUUID()), apiKeys.remove(randomUUID())] : []),
    ...(wantsApplicationKey(keys) ? [nobody.remove(randomUUID()), allApplicationKeys.list(`${prefix}-`, 0)] : []),
  ];
}

/** Needs what making one needs, for which there is no trial: it would make a key. */
function renameApiKey(id: string): Call<unknown> {
  return {
    operation: 'UpdateAPIKey',
    permission: 'api_keys_write',
    send: ({ KeyManagementApi }, configuration) =>
      new KeyManagementApi(configuration).updateAPIKey({
        apiKeyId: id,
        body: apiKeyToRename(id, 'leasehold-check'),
      }),
  };
}
