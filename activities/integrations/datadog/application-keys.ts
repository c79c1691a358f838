import type { KeyKind } from './keys';
import { PAGE_SIZE, readName, readNewKey, readPage } from './keys';
import { applicationKeyToMake } from './requests';

const WHAT = 'application key';
const PERMISSION = 'service_account_write';

/**
 * Keys of one service account, which read and change what it may.
 * @param scopes of keys to be made; null: all that the account may do.
 */
export function applicationKeys(serviceAccountId: string, scopes: readonly string[] | null = null): KeyKind {
  return {
    what: WHAT,
    owner: serviceAccountId,
    idFact: 'app_key_id',
    list: (filter, number) => ({
      operation: 'ListServiceAccountApplicationKeys',
      permission: PERMISSION,
      owner: serviceAccountId,
      send: async ({ ServiceAccountsApi }, configuration) => {
        const body = await new ServiceAccountsApi(configuration).listServiceAccountApplicationKeys({
          serviceAccountId,
          pageSize: PAGE_SIZE,
          pageNumber: number,
          sort: 'created_at',
          filter,
        });
        return readPage(body, body.meta?.maxAllowedPerUser, 'ListServiceAccountApplicationKeys');
      },
    }),
    nameOf: (appKeyId) => ({
      operation: 'GetServiceAccountApplicationKey',
      permission: PERMISSION,
      send: async ({ ServiceAccountsApi }, configuration) =>
        readName(
          await new ServiceAccountsApi(configuration).getServiceAccountApplicationKey({ serviceAccountId, appKeyId }),
          'GetServiceAccountApplicationKey',
        ),
    }),
    create: (name) => ({
      operation: 'CreateServiceAccountApplicationKey',
      permission: PERMISSION,
      owner: serviceAccountId,
      send: async ({ ServiceAccountsApi }, configuration) => {
        const answer = await new ServiceAccountsApi(configuration).createServiceAccountApplicationKey({
          serviceAccountId,
          body: applicationKeyToMake(name, scopes),
        });
        return readNewKey(answer, 'CreateServiceAccountApplicationKey');
      },
    }),
    remove: (appKeyId) => ({
      operation: 'DeleteServiceAccountApplicationKey',
      permission: PERMISSION,
      send: ({ ServiceAccountsApi }, configuration) =>
        new ServiceAccountsApi(configuration).deleteServiceAccountApplicationKey({ serviceAccountId, appKeyId }),
    }),
  };
}

/** Application keys of everybody in the organization, to look through. */
export const allApplicationKeys: Pick<KeyKind, 'what' | 'list' | 'nameOf'> = {
  what: WHAT,
  list: (filter, number) => ({
    operation: 'ListApplicationKeys',
    permission: 'org_app_keys_read',
    send: async ({ KeyManagementApi }, configuration) => {
      const body = await new KeyManagementApi(configuration).listApplicationKeys({
        pageSize: PAGE_SIZE,
        pageNumber: number,
        sort: 'created_at',
        filter,
      });
      return readPage(body, body.meta?.maxAllowedPerUser, 'ListApplicationKeys');
    },
  }),
  nameOf: (id) => ({
    operation: 'GetApplicationKey',
    permission: 'org_app_keys_read',
    send: async ({ KeyManagementApi }, configuration) =>
      readName(await new KeyManagementApi(configuration).getApplicationKey({ appKeyId: id }), 'GetApplicationKey'),
  }),
};
