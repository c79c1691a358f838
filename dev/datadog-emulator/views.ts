import { last4 } from './list-query';
import type { Page } from './list-query';
import type { ApiKey, ApplicationKey, Organization, User } from './organization';
import type { Permission } from './permissions';

/** How Datadog shows what it holds. With a key's value only where `isRevealed`. */
export function apiKeyView(key: ApiKey, isRevealed: boolean): unknown {
  return {
    type: 'api_keys',
    id: key.id,
    attributes: {
      category: key.category,
      created_at: key.createdAt.toISOString(),
      date_last_used: null,
      ...(isRevealed ? { key: key.key } : {}),
      last4: last4(key),
      modified_at: key.modifiedAt.toISOString(),
      name: key.name,
      remote_config_read_enabled: key.remoteConfigReadEnabled,
    },
    relationships: {
      created_by: relation(key.ownerId),
      leak_information: { data: null },
      modified_by: relation(key.ownerId),
    },
  };
}

export function applicationKeyView(key: ApplicationKey, isRevealed: boolean): unknown {
  return {
    type: 'application_keys',
    id: key.id,
    attributes: {
      created_at: key.createdAt.toISOString(),
      ...(isRevealed ? { key: key.key } : {}),
      last4: last4(key),
      last_used_at: null,
      name: key.name,
      scopes: key.scopes,
    },
    relationships: { leak_information: { data: null }, owned_by: relation(key.ownerId) },
  };
}

export function apiKeysView({ keys, total }: Page<ApiKey>, { rules }: Organization): unknown {
  return {
    data: keys.map((key) => apiKeyView(key, false)),
    meta: { max_allowed: rules.maxApiKeys, page: { total_filtered_count: total } },
  };
}

export function applicationKeysView({ keys, total }: Page<ApplicationKey>, { rules }: Organization): unknown {
  return {
    data: keys.map((key) => applicationKeyView(key, false)),
    meta: { max_allowed_per_user: rules.maxApplicationKeysPerUser, page: { total_filtered_count: total } },
  };
}

export function userView(user: User): unknown {
  return {
    type: 'users',
    id: user.id,
    attributes: {
      created_at: user.createdAt.toISOString(),
      disabled: user.isDisabled,
      email: user.email,
      handle: user.isServiceAccount ? user.id : user.email,
      modified_at: user.createdAt.toISOString(),
      name: user.name,
      service_account: user.isServiceAccount,
      status: user.isDisabled ? 'Disabled' : 'Active',
      title: null,
      verified: true,
    },
    relationships: { roles: { data: [] } },
  };
}

export function permissionView(permission: Permission): unknown {
  return {
    type: 'permissions',
    // Nothing refers to a permission by its id here.
    id: permission,
    attributes: {
      name: permission,
      display_name: permission,
      display_type: 'other',
      group_name: 'Test',
      restricted: false,
    },
  };
}

function relation(userId: string): unknown {
  return { data: { type: 'users', id: userId } };
}
