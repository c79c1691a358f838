import { escapeIdentifier } from 'pg';
import type { Calls } from './calls';
import { guardRole } from './guard';
import type { RoleHandle } from './handle';
import { VERSION_16 } from './look';
import type { LookedUp, Role } from './look';

/** The orchestrator as a member of a leased role: without that it may neither end the role's sessions nor touch what it owns. */
export interface Membership {
  /** What makes it one, for a text whose other statements need it. Whoever has sent that says so by {@link joined}. */
  readonly statements: readonly string[];
  joined(): void;
  /** Makes it one, unless it is known to be. */
  join(): Promise<void>;
}

/** It begins without, for most roles end without a session and own nothing, and each change of a membership costs the server much. */
export function createMembership(calls: Calls, handle: RoleHandle, looked: LookedUp, role: Role): Membership {
  const { superuser, version } = looked;
  const options = version >= VERSION_16 ? ' WITH INHERIT TRUE, SET TRUE' : '';
  const statements = superuser ? [] : [`GRANT ${escapeIdentifier(handle.role)} TO CURRENT_USER${options}`];
  let isMember = superuser;
  return {
    statements,
    joined: () => {
      isMember = true;
    },
    join: async () => {
      if (isMember) return;
      await calls.change('JoinRole', () => [guardRole(handle.role, role, looked, calls.remaining()), ...statements]);
      isMember = true;
    },
  };
}

/** The groups that the role is a member of. */
export async function groupsHeldBy(calls: Calls, { oid }: Role): Promise<readonly string[]> {
  const [rows = []] = await calls.read('FindGroups', [
    `SELECT DISTINCT pg_get_userbyid(roleid)::text AS name FROM pg_auth_members WHERE member = ${oid} ORDER BY 1`,
  ]);
  return rows.map(({ name }) => String(name));
}

/** Statements that take the role out of these groups. */
export function leave(groups: readonly string[], role: string): string[] {
  return groups.map((group) => `REVOKE ${escapeIdentifier(group)} FROM ${escapeIdentifier(role)}`);
}
