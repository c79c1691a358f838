import { randomBytes, randomUUID } from 'node:crypto';
import { forbidden, Refused } from './answers';
import { createKeyStore } from './key-store';
import type { KeyRecord, KeyStore, Propagation, StoredKey } from './key-store';
import { PERMISSIONS, WORK_PERMISSIONS } from './permissions';
import type { Permission } from './permissions';

export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly isServiceAccount: boolean;
  readonly createdAt: Date;
  readonly permissions: Set<Permission>;
  isDisabled: boolean;
}

export interface ApiKeyRecord extends KeyRecord {
  readonly category: string;
  readonly remoteConfigReadEnabled: boolean;
}

export interface ApplicationKeyRecord extends KeyRecord {
  /** null: whatever its owner may do. */
  readonly scopes: readonly Permission[] | null;
}

export type ApiKey = ApiKeyRecord & StoredKey;
export type ApplicationKey = ApplicationKeyRecord & StoredKey;

/** What can be set from outside. */
export interface Rules {
  maxApiKeys: number;
  maxApplicationKeysPerUser: number;
  hasUniqueNames: boolean;
  /** Whether an application key's value is told at its creation only. */
  revealsApplicationKeysOnce: boolean;
  /** The same for API keys, of which Datadog tells the value to every get. */
  revealsApiKeysOnce: boolean;
  propagation: Propagation;
}

/** Who calls with an application key. */
export interface Caller {
  readonly user: User;
  /** Whether its user has the right, and the key the scope. */
  may(permission: Permission): boolean;
}

/** One Datadog organization with its users and keys. */
export interface Organization {
  readonly id: string;
  readonly rules: Rules;
  /** Who looks after leases; its application key is not among those that are revoked. */
  readonly orchestrator: User;
  readonly users: ReadonlyMap<string, User>;
  readonly apiKeys: KeyStore<ApiKey>;
  readonly applicationKeys: KeyStore<ApplicationKey>;
  /** Somebody who may do what holders of leased keys do. */
  addUser(name: string, isServiceAccount: boolean): User;
  /** Its application keys are revoked for good, its API keys are not. */
  disableUser(id: string): void;
  /** @throws Error if there is none */
  userOf(id: string): User;
  makeApiKey(owner: User, wanted: Pick<ApiKey, 'name' | 'category' | 'remoteConfigReadEnabled'>): ApiKey;
  makeApplicationKey(owner: User, wanted: Pick<ApplicationKey, 'name' | 'scopes'>): ApplicationKey;
  /** @throws Refused */
  removeApiKey(id: string): void;
  /** The API key of a request. @throws Refused */
  apiKeyOf(value: string | undefined): ApiKey;
  /** @throws Refused */
  callerOf(value: string | undefined): Caller;
}

export function createOrganization(): Organization {
  const rules: Rules = {
    maxApiKeys: 50,
    maxApplicationKeysPerUser: 1_000,
    hasUniqueNames: false,
    revealsApplicationKeysOnce: true,
    revealsApiKeysOnce: false,
    propagation: { shownAfterMs: 0, honouredAfterMs: 0, honouredForMs: 0 },
  };
  const users = new Map<string, User>();
  const apiKeys = createKeyStore<ApiKey>(() => rules.propagation);
  const applicationKeys = createKeyStore<ApplicationKey>(() => rules.propagation);
  const orchestrator = addUser('Leasehold', PERMISSIONS, true);

  function addUser(name: string, permissions: readonly Permission[], isServiceAccount: boolean): User {
    const id = randomUUID();
    const user: User = {
      id,
      name,
      email: `${id}@example.com`,
      isServiceAccount,
      createdAt: new Date(),
      permissions: new Set(permissions),
      isDisabled: false,
    };
    users.set(id, user);
    return user;
  }

  function userOf(id: string): User {
    const user = users.get(id);
    if (user === undefined) throw new Error(`The organization has no user ${id}.`);
    return user;
  }

  function refuseDoubleName(keys: readonly KeyRecord[], name: string): void {
    if (rules.hasUniqueNames && keys.some((key) => key.name === name)) {
      throw new Refused(400, 'A key with this name already exists');
    }
  }

  return {
    id: randomUUID(),
    rules,
    orchestrator,
    users,
    apiKeys,
    applicationKeys,
    addUser: (name, isServiceAccount) => addUser(name, WORK_PERMISSIONS, isServiceAccount),
    disableUser: (id) => {
      const user = userOf(id);
      user.isDisabled = true;
      if (user === orchestrator) return;
      for (const key of applicationKeys.all().filter(({ ownerId }) => ownerId === id)) applicationKeys.remove(key.id);
    },
    userOf,
    makeApiKey: (owner, wanted) => {
      if (apiKeys.all().length >= rules.maxApiKeys) {
        throw new Refused(400, 'The organization has reached its maximum number of API keys');
      }
      refuseDoubleName(apiKeys.all(), wanted.name);
      return apiKeys.add({ ...wanted, ownerId: owner.id, key: randomBytes(16).toString('hex') });
    },
    makeApplicationKey: (owner, wanted) => {
      const owned = applicationKeys.all().filter(({ ownerId }) => ownerId === owner.id);
      if (owned.length >= rules.maxApplicationKeysPerUser) {
        throw new Refused(400, 'The user has reached the maximum number of application keys');
      }
      refuseDoubleName(owned, wanted.name);
      return applicationKeys.add({ ...wanted, ownerId: owner.id, key: randomBytes(20).toString('hex') });
    },
    removeApiKey: (id) => {
      if (apiKeys.all().every((key) => key.id === id)) {
        throw new Refused(400, 'An organization must have at least one API key');
      }
      if (!apiKeys.remove(id)) throw new Refused(404, 'API key not found');
    },
    apiKeyOf: (value) => {
      const key = value === undefined ? undefined : apiKeys.honoured(value);
      if (key === undefined) throw forbidden();
      return key;
    },
    callerOf: (value) => {
      const key = value === undefined ? undefined : applicationKeys.honoured(value);
      const user = key === undefined ? undefined : users.get(key.ownerId);
      if (key === undefined || user === undefined || user.isDisabled) throw forbidden();
      const { scopes } = key;
      return {
        user,
        may: (permission) => user.permissions.has(permission) && (scopes === null || scopes.includes(permission)),
      };
    },
  };
}
