import type { Client } from 'pg';
import type { PostgresSetting } from '../support/postgres-setting';
import { leaseIdOf } from './deeds';
import type { EntitySeen } from './trace';

/** The roles that the server itself has. One that cannot log in has no identity. */
export function rolesOf(setting: PostgresSetting): (deployment: string) => Promise<readonly EntitySeen[]> {
  let client: Promise<Client> | null = null;
  return async (deployment) => {
    client ??= setting.admin();
    const { rows } = await (
      await client
    ).query<{ readonly name: string; readonly login: boolean }>(
      'SELECT rolname AS name, rolcanlogin AS login FROM pg_roles',
    );
    return rows.flatMap(({ name, login }) => {
      const leaseId = leaseIdOf(deployment, name);
      return leaseId === null
        ? []
        : [{ integration: 'database' as const, name, leaseId, identities: login ? [name] : [] }];
    });
  };
}
