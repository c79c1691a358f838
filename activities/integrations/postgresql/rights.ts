import { VERSION_16 } from './look';

/** What makes a grant one that gives the right. Servers before 16 do not have that column: there it is the member that inherits or not. */
const GRANTED = {
  'MEMBER WITH ADMIN OPTION': 'm.admin_option',
  USAGE: "coalesce((to_jsonb(m) ->> 'inherit_option')::bool, me.rolinherit)",
  SET: "(to_jsonb(m) ->> 'set_option')::bool",
} as const;

/**
 * Whether the orchestrator, `me`, has a right on the role `r`, both of them rows of `pg_roles`: a condition in SQL.
 *
 * The orchestrator is a member of every role that it has made, and `pg_has_role` looks through all of them, which takes tens of
 * milliseconds for ten thousand. What it was granted itself is found by one look, and so is asked first.
 */
export function orchestratorHas(right: keyof typeof GRANTED): string {
  return (
    'CASE WHEN EXISTS (SELECT FROM pg_auth_members m WHERE m.roleid = r.oid AND m.member = me.oid ' +
    `AND ${GRANTED[right]}) THEN true ELSE pg_has_role(me.oid, r.oid, '${right}') END`
  );
}

/** Whether the orchestrator may hand things on to the role, which from 16 on takes two rights: a condition in SQL. */
export function orchestratorMayHandOn(): string {
  const mayBecome = `CASE WHEN current_setting('server_version_num')::int < ${VERSION_16} THEN true ELSE ${orchestratorHas('SET')} END`;
  return `(${orchestratorHas('USAGE')} AND ${mayBecome})`;
}
