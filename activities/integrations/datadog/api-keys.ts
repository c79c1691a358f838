import type { KeyKind } from './keys';
import { PAGE_SIZE, readName, readNewKey, readPage } from './keys';
import { apiKeyToMake } from './requests';

/** Keys of the organization, which send data. */
export const apiKeys: KeyKind = {
  what: 'API key',
  owner: null,
  idFact: 'api_key_id',
  list: (filter, number) => ({
    operation: 'ListAPIKeys',
    permission: 'api_keys_read',
    send: async ({ KeyManagementApi }, configuration) => {
      const body = await new KeyManagementApi(configuration).listAPIKeys({
        pageSize: PAGE_SIZE,
        pageNumber: number,
        sort: 'created_at',
        filter,
      });
      return readPage(body, body.meta?.maxAllowed, 'ListAPIKeys');
    },
  }),
  nameOf: (id) => ({
    operation: 'GetAPIKey',
    permission: 'api_keys_read',
    send: async ({ KeyManagementApi }, configuration) =>
      readName(await new KeyManagementApi(configuration).getAPIKey({ apiKeyId: id }), 'GetAPIKey'),
  }),
  create: (name) => ({
    operation: 'CreateAPIKey',
    permission: 'api_keys_write',
    send: async ({ KeyManagementApi }, configuration) => {
      const body = apiKeyToMake(name);
      return readNewKey(await new KeyManagementApi(configuration).createAPIKey({ body }), 'CreateAPIKey');
    },
  }),
  remove: (id) => ({
    operation: 'DeleteAPIKey',
    permission: 'api_keys_delete',
    send: ({ KeyManagementApi }, configuration) => new KeyManagementApi(configuration).deleteAPIKey({ apiKeyId: id }),
  }),
};
