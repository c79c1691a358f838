import type { Quota } from '../integration';
import type { Call, Reader } from './calls';
import type { DatadogConnection } from './connection';
import { isDenied, unreadable } from './errors';
import { wantsApiKey } from './kinds';

/**
 * What is left of the organization's API keys; null when the orchestrator may not know, is not told, or leases none here. For
 * application keys there is a limit for each service account: those are named by dynamic secrets, of which nothing is known
 * here, and it is twenty times as high.
 */
export async function readQuota(reader: Reader, connection: DatadogConnection): Promise<Quota | null> {
  if (!wantsApiKey(connection.keys)) return null;
  try {
    return await reader.read(countApiKeys);
  } catch (error) {
    if (isDenied(error)) return null;
    throw error;
  }
}

/** The same; without the permission to know it fails. */
export const countApiKeys: Call<Quota | null> = {
  operation: 'ListAPIKeys',
  permission: 'api_keys_read',
  send: async ({ KeyManagementApi }, configuration) => {
    const { data, meta } = await new KeyManagementApi(configuration).listAPIKeys({ pageSize: 1 });
    if (data === undefined) throw unreadable({ operation: 'ListAPIKeys' });
    const used = meta?.page?.totalFilteredCount;
    const limit = meta?.maxAllowed;
    if (typeof used !== 'number' || typeof limit !== 'number') return null;
    return { what: 'API keys in the Datadog organization', used, limit };
  },
};
