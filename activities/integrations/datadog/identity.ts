import type { Reader } from './calls';
import { isDenied, isNotFound } from './errors';

/** Whose application key the orchestrator uses. */
export interface Owner {
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly isServiceAccount: boolean;
}

/** Null: Datadog does not tell. */
export async function readOwner(reader: Reader): Promise<Owner | null> {
  return orNull(() =>
    reader.read({
      operation: 'GetCurrentUser',
      permission: null,
      send: async ({ UsersApi }, configuration) => {
        const { data } = await new UsersApi(configuration).getCurrentUser();
        const id = data?.id;
        if (typeof id !== 'string') return null;
        const isServiceAccount = data?.attributes?.serviceAccount === true;
        const known =
          [data?.attributes?.name, data?.attributes?.handle].find((text) => typeof text === 'string' && text !== '') ??
          'without a name';
        return { id, isServiceAccount, name: `${isServiceAccount ? 'service account' : 'user'} ${known} (${id})` };
      },
    }),
  );
}

/** The permissions of a user; null: Datadog does not tell. */
export async function readPermissions(reader: Reader, userId: string): Promise<readonly string[] | null> {
  return orNull(() =>
    reader.read({
      operation: 'ListUserPermissions',
      permission: 'user_access_read',
      send: async ({ UsersApi }, configuration) => {
        const { data } = await new UsersApi(configuration).listUserPermissions({ userId });
        if (!Array.isArray(data)) return null;
        return data.flatMap(({ attributes }) => (typeof attributes?.name === 'string' ? [attributes.name] : []));
      },
    }),
  );
}

/**
 * Whether the orchestrator's application key may do all that its owner may.
 * @param last4 of that key: all that Datadog shows of a key.
 * @returns null: Datadog does not tell.
 */
export async function isUnscoped(reader: Reader, last4: string): Promise<boolean | null> {
  return orNull(() =>
    reader.read({
      operation: 'ListCurrentUserApplicationKeys',
      permission: 'user_app_keys',
      send: async ({ KeyManagementApi }, configuration) => {
        const { data } = await new KeyManagementApi(configuration).listCurrentUserApplicationKeys({ pageSize: 100 });
        const [own, ...others] = (data ?? []).filter(({ attributes }) => attributes?.last4 === last4);
        if (own === undefined || others.length > 0) return null;
        const scopes: unknown = own.attributes?.scopes;
        return !Array.isArray(scopes) || scopes.length === 0;
      },
    }),
  );
}

async function orNull<T>(act: () => Promise<T | null>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    if (isDenied(error) || isNotFound(error)) return null;
    throw error;
  }
}
