import { json, noContent, Refused } from './answers';
import type { Answer } from './answers';
import { apiKeyChange, apiKeyWanted, applicationKeyChange, applicationKeyWanted } from './bodies';
import { pageOf } from './list-query';
import type { ApiKey, ApplicationKey, Caller, Organization, User } from './organization';
import { PERMISSIONS } from './permissions';
import type { Permission } from './permissions';
import { apiKeysView, apiKeyView, applicationKeysView, applicationKeyView, permissionView, userView } from './views';

/** What the emulator can be asked, by the names of Datadog's own clients. */
export const OPERATIONS = [
  'ListAPIKeys',
  'CreateAPIKey',
  'GetAPIKey',
  'UpdateAPIKey',
  'DeleteAPIKey',
  'ListCurrentUserApplicationKeys',
  'CreateCurrentUserApplicationKey',
  'GetCurrentUserApplicationKey',
  'UpdateCurrentUserApplicationKey',
  'DeleteCurrentUserApplicationKey',
  'ListApplicationKeys',
  'GetApplicationKey',
  'UpdateApplicationKey',
  'DeleteApplicationKey',
  'ListServiceAccountApplicationKeys',
  'CreateServiceAccountApplicationKey',
  'GetServiceAccountApplicationKey',
  'UpdateServiceAccountApplicationKey',
  'DeleteServiceAccountApplicationKey',
  'ListUsers',
  'GetUser',
  'GetCurrentUser',
  'ListUserPermissions',
  'ListPermissions',
  'Validate',
  'ValidateV2',
  'ValidateAPIKey',
  'SubmitMetrics',
  'ListDashboards',
  'ListMonitors',
] as const;
export type Operation = (typeof OPERATIONS)[number];

interface Endpoint {
  readonly operation: Operation;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With `{name}` for each parameter. */
  readonly path: string;
}

/** For which an API key alone is enough. */
export interface OpenRoute extends Endpoint {
  readonly needs: 'api key';
  answer(organization: Organization, apiKey: ApiKey): Answer;
}

/** For callers with both keys, and with this right. */
export interface CallerRoute extends Endpoint {
  readonly needs: 'both keys' | Permission;
  answer(asked: Asked): Answer;
}

export type Route = OpenRoute | CallerRoute;

/** A request of somebody who may make it. */
export interface Asked {
  readonly organization: Organization;
  /** Of the path. */
  readonly parameter: (name: string) => string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly caller: Caller;
}

const API_KEYS = '/api/v2/api_keys';
const OWN_KEYS = '/api/v2/current_user/application_keys';
const ALL_KEYS = '/api/v2/application_keys';
const ACCOUNT_KEYS = '/api/v2/service_accounts/{account}/application_keys';

export const ROUTES: readonly Route[] = [
  {
    operation: 'ListAPIKeys',
    method: 'GET',
    path: API_KEYS,
    needs: 'api_keys_read',
    answer: ({ organization, query }) =>
      json(200, apiKeysView(pageOf(organization.apiKeys.shown(), query), organization)),
  },
  {
    operation: 'CreateAPIKey',
    method: 'POST',
    path: API_KEYS,
    needs: 'api_keys_write',
    answer: ({ organization, body, caller }) =>
      json(201, { data: apiKeyView(organization.makeApiKey(caller.user, apiKeyWanted(body)), true) }),
  },
  {
    operation: 'GetAPIKey',
    method: 'GET',
    path: `${API_KEYS}/{key}`,
    needs: 'api_keys_read',
    answer: ({ organization, parameter }) => {
      const key = organization.apiKeys.shown().find(({ id }) => id === parameter('key'));
      if (key === undefined) throw new Refused(404, 'API key not found');
      return json(200, { data: apiKeyView(key, !organization.rules.revealsApiKeysOnce) });
    },
  },
  {
    operation: 'UpdateAPIKey',
    method: 'PATCH',
    path: `${API_KEYS}/{key}`,
    needs: 'api_keys_write',
    answer: ({ organization: { apiKeys, rules }, parameter, body }) => {
      const key = apiKeys.all().find(({ id }) => id === parameter('key'));
      if (key === undefined) throw new Refused(404, 'API key not found');
      const changed = { ...key, ...apiKeys.change(key.id, apiKeyChange(body, key.id)) };
      return json(200, { data: apiKeyView(changed, !rules.revealsApiKeysOnce) });
    },
  },
  {
    operation: 'DeleteAPIKey',
    method: 'DELETE',
    path: `${API_KEYS}/{key}`,
    needs: 'api_keys_delete',
    answer: ({ organization, parameter }) => {
      organization.removeApiKey(parameter('key'));
      return noContent();
    },
  },
  ...applicationKeyRoutes(
    'CurrentUserApplicationKey',
    OWN_KEYS,
    'user_app_keys',
    'user_app_keys',
    (asked) => asked.caller.user,
  ),
  ...applicationKeyRoutes('ApplicationKey', ALL_KEYS, 'org_app_keys_read', 'org_app_keys_write', () => null),
  ...applicationKeyRoutes(
    'ServiceAccountApplicationKey',
    ACCOUNT_KEYS,
    'service_account_write',
    'service_account_write',
    accountOf,
  ),
  creation('CreateCurrentUserApplicationKey', OWN_KEYS, 'user_app_keys', (asked) => asked.caller.user),
  creation('CreateServiceAccountApplicationKey', ACCOUNT_KEYS, 'service_account_write', accountOf),
  {
    operation: 'ListUsers',
    method: 'GET',
    path: '/api/v2/users',
    needs: 'user_access_read',
    answer: ({ organization: { users } }) =>
      json(200, {
        data: [...users.values()].map(userView),
        meta: { page: { total_count: users.size, total_filtered_count: users.size } },
      }),
  },
  {
    operation: 'GetUser',
    method: 'GET',
    path: '/api/v2/users/{user}',
    needs: 'user_access_read',
    answer: (asked) => json(200, { data: userView(userOf(asked)) }),
  },
  {
    operation: 'ListUserPermissions',
    method: 'GET',
    path: '/api/v2/users/{user}/permissions',
    needs: 'user_access_read',
    answer: (asked) => json(200, { data: [...userOf(asked).permissions].map(permissionView) }),
  },
  {
    operation: 'GetCurrentUser',
    method: 'GET',
    path: '/api/v2/current_user',
    needs: 'both keys',
    answer: ({ caller }) => json(200, { data: userView(caller.user) }),
  },
  {
    operation: 'ListPermissions',
    method: 'GET',
    path: '/api/v2/permissions',
    needs: 'both keys',
    answer: () => json(200, { data: PERMISSIONS.map(permissionView) }),
  },
  {
    operation: 'Validate',
    method: 'GET',
    path: '/api/v1/validate',
    needs: 'api key',
    answer: () => json(200, { valid: true }),
  },
  {
    operation: 'ValidateV2',
    method: 'GET',
    path: '/api/v2/validate',
    needs: 'api key',
    answer: (organization, apiKey) => {
      const attributes = { api_key_id: apiKey.id, api_key_scopes: [], valid: true };
      return json(200, { data: { type: 'validate_v2', id: organization.id, attributes } });
    },
  },
  {
    operation: 'ValidateAPIKey',
    method: 'GET',
    path: '/api/v2/validate_keys',
    needs: 'both keys',
    answer: () => json(200, { status: 'ok' }),
  },
  // What holders do with their keys: send data with the one, read with both.
  {
    operation: 'SubmitMetrics',
    method: 'POST',
    path: '/api/v2/series',
    needs: 'api key',
    answer: () => json(202, { errors: [] }),
  },
  {
    operation: 'ListDashboards',
    method: 'GET',
    path: '/api/v1/dashboard',
    needs: 'dashboards_read',
    answer: () => json(200, { dashboards: [] }),
  },
  {
    operation: 'ListMonitors',
    method: 'GET',
    path: '/api/v1/monitor',
    needs: 'monitors_read',
    answer: () => json(200, []),
  },
];

type ApplicationKeyKind = 'CurrentUserApplicationKey' | 'ApplicationKey' | 'ServiceAccountApplicationKey';

/** Whose keys a request is about; null: everybody's. */
type OwnerOf = (asked: Asked) => User | null;

/** All but creation under one path. */
function applicationKeyRoutes(
  kind: ApplicationKeyKind,
  path: string,
  reading: Permission,
  writing: Permission,
  ownerOf: OwnerOf,
): readonly CallerRoute[] {
  const owned = (asked: Asked, keys: readonly ApplicationKey[]): readonly ApplicationKey[] => {
    const owner = ownerOf(asked);
    return owner === null ? keys : keys.filter(({ ownerId }) => ownerId === owner.id);
  };
  const find = (asked: Asked, keys: readonly ApplicationKey[]): ApplicationKey => {
    const key = owned(asked, keys).find(({ id }) => id === asked.parameter('key'));
    if (key === undefined) throw new Refused(404, 'Application key not found');
    return key;
  };
  return [
    {
      operation: `List${kind}s`,
      method: 'GET',
      path,
      needs: reading,
      answer: (asked) => {
        const { organization, query } = asked;
        const page = pageOf(owned(asked, organization.applicationKeys.shown()), query);
        return json(200, applicationKeysView(page, organization));
      },
    },
    {
      operation: `Get${kind}`,
      method: 'GET',
      path: `${path}/{key}`,
      needs: reading,
      answer: (asked) => {
        const { applicationKeys, rules } = asked.organization;
        const isRevealed = !rules.revealsApplicationKeysOnce && kind !== 'ServiceAccountApplicationKey';
        return json(200, { data: applicationKeyView(find(asked, applicationKeys.shown()), isRevealed) });
      },
    },
    {
      operation: `Update${kind}`,
      method: 'PATCH',
      path: `${path}/{key}`,
      needs: writing,
      answer: (asked) => {
        const { applicationKeys } = asked.organization;
        const key = find(asked, applicationKeys.all());
        const changed = { ...key, ...applicationKeys.change(key.id, applicationKeyChange(asked.body, key.id)) };
        return json(200, { data: applicationKeyView(changed, false) });
      },
    },
    {
      operation: `Delete${kind}`,
      method: 'DELETE',
      path: `${path}/{key}`,
      needs: writing,
      answer: (asked) => {
        const { applicationKeys } = asked.organization;
        applicationKeys.remove(find(asked, applicationKeys.all()).id);
        return noContent();
      },
    },
  ];
}

function creation(operation: Operation, path: string, needs: Permission, ownerOf: (asked: Asked) => User): CallerRoute {
  return {
    operation,
    method: 'POST',
    path,
    needs,
    answer: (asked) => {
      const owner = ownerOf(asked);
      if (owner.isDisabled) throw new Refused(400, 'The service account is disabled');
      const key = asked.organization.makeApplicationKey(owner, applicationKeyWanted(asked.body));
      return json(201, { data: applicationKeyView(key, true) });
    },
  };
}

function accountOf({ organization, parameter }: Asked): User {
  const user = organization.users.get(parameter('account'));
  if (user?.isServiceAccount !== true) throw new Refused(404, 'Service account not found');
  return user;
}

function userOf({ organization, parameter }: Asked): User {
  const user = organization.users.get(parameter('user'));
  if (user === undefined) throw new Refused(404, 'User not found');
  return user;
}
