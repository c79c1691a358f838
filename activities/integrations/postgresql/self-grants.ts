import { randomBytes } from 'node:crypto';
import { escapeIdentifier } from 'pg';
import type { Calls } from './calls';
import type { RoleHandle } from './handle';
import type { LookedUp, Role } from './look';
import { groupsHeldBy, leave } from './membership';

/** Before this version a role may grant membership in itself. */
const VERSION_15 = 150_000;

/** Whether the holder itself can make others members of its role. */
export function grantsItself({ version, superuser }: LookedUp): boolean {
  return version < VERSION_15 && !superuser;
}

/**
 * Statements that need membership in the role, for a member by a detour that lasts no longer than they do. A holder can keep the
 * orchestrator from becoming a member itself, by granting it just that in a transaction that it never ends.
 */
export function asMember({ role }: RoleHandle, statements: readonly string[]): string[] {
  const detour = escapeIdentifier(`leasehold detour ${randomBytes(12).toString('hex')}`);
  return [
    `CREATE ROLE ${detour} NOLOGIN`,
    `GRANT ${escapeIdentifier(role)} TO ${detour}`,
    `GRANT ${detour} TO CURRENT_USER`,
    ...statements,
    `DROP ROLE ${detour}`,
  ];
}

/**
 * Takes back what the holder can have granted. Whoever acts as the role in a session of another one goes on doing so, and can
 * keep the role from being dropped: so it loses what it was a member of, too.
 */
export async function takeBack(calls: Calls, { role }: RoleHandle, leasedRole: Role): Promise<string[]> {
  const [members = []] = await calls.read('FindMembers', [
    `SELECT pg_get_userbyid(member) AS name FROM pg_auth_members WHERE roleid = ${leasedRole.oid} ` +
      'AND pg_get_userbyid(member) <> current_user',
  ]);
  if (members.length === 0) return [];
  const leased = escapeIdentifier(role);
  return [
    ...members.map(({ name }) => `REVOKE ${leased} FROM ${escapeIdentifier(String(name))}`),
    ...leave(await groupsHeldBy(calls, leasedRole), role),
  ];
}
