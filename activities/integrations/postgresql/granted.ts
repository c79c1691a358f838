import { escapeIdentifier } from 'pg';
import { z } from 'zod';
import type { Calls } from './calls';
import type { Whereto } from './connect';
import { guardRole } from './guard';
import type { RoleHandle } from './handle';
import { VERSION_16 } from './look';
import type { LookedUp, Role } from './look';
import { orchestratorHas } from './rights';

/** Where the server keeps who may do what, by the catalog that its record of dependencies names. */
const ACCESS_LISTS: readonly (readonly [owning: string, catalog: string, list: string, id?: string])[] = [
  ['pg_class', 'pg_class', 'relacl'],
  ['pg_class', 'pg_attribute', 'attacl', 'attrelid'],
  ['pg_proc', 'pg_proc', 'proacl'],
  ['pg_namespace', 'pg_namespace', 'nspacl'],
  ['pg_database', 'pg_database', 'datacl'],
  ['pg_largeobject', 'pg_largeobject_metadata', 'lomacl'],
  ['pg_type', 'pg_type', 'typacl'],
  ['pg_language', 'pg_language', 'lanacl'],
  ['pg_foreign_data_wrapper', 'pg_foreign_data_wrapper', 'fdwacl'],
  ['pg_foreign_server', 'pg_foreign_server', 'srvacl'],
  ['pg_tablespace', 'pg_tablespace', 'spcacl'],
];

const MAX_NAMED = 5;

const grantors = z.array(z.object({ name: z.string() }));
const described = z.array(z.object({ description: z.string() }));

/**
 * Takes back what others granted to the role. `DROP OWNED` does so only in the name of whom the orchestrator already acts for, and
 * warns of the rest; everybody can grant the role what they own, so that it could never be dropped. So it becomes a member of each who
 * granted something, as far as it may, for one transaction.
 */
export async function takeBackGranted(
  calls: Calls,
  { role: name }: RoleHandle,
  looked: LookedUp,
  role: Role,
  where: Whereto,
): Promise<void> {
  const [rows = []] = await calls.read('FindGrantors', [grantorsOf(role, looked)], where);
  for (const { name: grantor } of grantors.parse(rows)) {
    const other = escapeIdentifier(grantor);
    const [options, by] =
      looked.version < VERSION_16 ? ['', ''] : [' WITH INHERIT TRUE, SET FALSE', ' GRANTED BY CURRENT_USER'];
    await calls.change(
      'TakeBack',
      () => [
        guardRole(name, role, looked, calls.remaining()),
        `GRANT ${other} TO CURRENT_USER${options}`,
        `DROP OWNED BY ${escapeIdentifier(name)}`,
        `REVOKE ${other} FROM CURRENT_USER${by}`,
      ],
      { where },
    );
  }
}

/** What somebody granted to the role there, and who. */
export async function findGranted(calls: Calls, role: Role, where: Whereto): Promise<readonly string[]> {
  const [rows = []] = await calls.read(
    'FindGranted',
    [
      `${heldBy(role)} SELECT DISTINCT pg_describe_object(h.classid, h.objid, 0) || ', granted by ' || ` +
        `pg_get_userbyid(h.grantor) AS description FROM held h ORDER BY 1 LIMIT ${MAX_NAMED + 1}`,
    ],
    where,
  );
  return described.parse(rows).map(({ description }) => description);
}

/** Whom the orchestrator does not act for yet and may. */
function grantorsOf(role: Role, { version }: LookedUp): string {
  const mayJoin =
    version < VERSION_16
      ? "NOT r.rolsuper AND NOT pg_has_role(me.oid, r.oid, 'MEMBER')"
      : orchestratorHas('MEMBER WITH ADMIN OPTION');
  return (
    `${heldBy(role)} SELECT DISTINCT r.rolname::text AS name FROM held h JOIN pg_roles r ON r.oid = h.grantor ` +
    "CROSS JOIN pg_roles me WHERE me.rolname = current_user AND NOT pg_has_role(me.oid, r.oid, 'USAGE') " +
    `AND ${mayJoin} ORDER BY 1`
  );
}

/** `held`: on what the role was granted something, there or on the server as a whole, and by whom. */
function heldBy({ oid }: Role): string {
  const lists = ACCESS_LISTS.map(
    ([owning, catalog, list, id = 'oid']) =>
      `SELECT '${owning}'::regclass AS classid, c.${id} AS objid, x.grantor FROM ${catalog} c, aclexplode(c.${list}) x ` +
      `WHERE x.grantee = ${oid} AND c.${id} IN (SELECT objid FROM mine WHERE classid = '${owning}'::regclass)`,
  );
  return (
    "WITH mine AS (SELECT s.classid, s.objid FROM pg_shdepend s WHERE s.refclassid = 'pg_authid'::regclass " +
    `AND s.refobjid = ${oid} AND s.deptype = 'a' ` +
    'AND s.dbid IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))), ' +
    `held AS (${lists.join(' UNION ALL ')})`
  );
}
