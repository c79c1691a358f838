import { escapeIdentifier, escapeLiteral } from 'pg';
import { z } from 'zod';
import { IntegrationError } from '../integration';
import type { Calls, Row } from './calls';
import type { Whereto } from './connect';
import { hasCode } from './errors';
import { restate } from '../own-errors';
import { findGranted, takeBackGranted } from './granted';
import { handOnTo } from './groups';
import { guardRole } from './guard';
import type { RoleHandle } from './handle';
import type { LookedUp, Role } from './look';
import { orchestratorMayHandOn } from './rights';
import { shown } from './shown';

/** The server ended the statement because its time was over, and did nothing of it. */
const GIVEN_UP_CODE = '57014';

const MAX_NAMED = 5;

const database = z.object({ database: z.string().nullable(), owns: z.boolean(), open: z.boolean() });
const described = z.array(z.object({ description: z.string() }));

/** One database in which something hangs on a role. `database` null: only on the server as a whole. */
export type Place = z.output<typeof database>;

/** Hands on or deletes what the role owns, and takes back what it was granted, in every database. */
export async function removeOwned(
  calls: Calls,
  handle: RoleHandle,
  looked: LookedUp,
  role: Role,
  places: readonly Place[],
): Promise<void> {
  const closed = places.filter(({ open }) => !open).map(({ database: name }) => name);
  for (const place of places) if (place.open) await removeIn(calls, handle, looked, role, place);
  if (closed.length === 0) return;
  throw new IntegrationError('Refused', {
    operation: 'DropOwned',
    entity: handle.role,
    hint:
      `Something hangs on the role in databases that the orchestrator may not connect to: ${enumerate(closed)}. ` +
      'Grant it CONNECT there, or allow connections to them.',
  });
}

/** Takes back what others granted to the role, where anything still hangs on it. */
export async function removeGranted(calls: Calls, handle: RoleHandle, looked: LookedUp, role: Role): Promise<void> {
  for (const place of await findPlaces(calls, role)) {
    if (place.open) await takeBackGranted(calls, handle, looked, role, whereIs(calls, place));
  }
}

/** Names what still hangs on the role, so that somebody can see to it. */
export async function describeObstacles(calls: Calls, role: Role, error: IntegrationError): Promise<IntegrationError> {
  const places = await findPlaces(calls, role);
  const granted: string[] = [];
  for (const place of places) if (place.open) granted.push(...(await findGranted(calls, role, whereIs(calls, place))));
  const names = places.map(({ database: name }) => name ?? 'the server itself');
  return restate(
    error,
    'Unavailable',
    `Something still hangs on the role in: ${enumerate(names)}.` +
      (granted.length === 0 ? '' : ` Take back what was granted to it on ${enumerate([...new Set(granted)])}.`),
  );
}

function whereIs(calls: Calls, { database: name }: Place): Whereto {
  return name === null ? calls.home : { database: name };
}

/** Where something hangs on the role. */
export async function findPlaces(calls: Calls, role: Role): Promise<readonly Place[]> {
  const [rows = []] = await calls.read('FindOwned', [placesOf(role)]);
  return readPlaces(rows);
}

export function placesOf({ oid }: Role): string {
  return (
    "SELECT d.datname AS database, bool_or(s.deptype = 'o') AS owns, " +
    "bool_and(d.oid IS NULL OR (d.datallowconn AND has_database_privilege(d.oid, 'CONNECT'))) AS open " +
    'FROM pg_shdepend s LEFT JOIN pg_database d ON d.oid = s.dbid ' +
    `WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = ${oid} GROUP BY d.datname ORDER BY d.datname`
  );
}

export function readPlaces(rows: readonly Row[]): readonly Place[] {
  return rows.map((row) => database.parse(row));
}

async function removeIn(calls: Calls, handle: RoleHandle, looked: LookedUp, role: Role, place: Place): Promise<void> {
  const leased = escapeIdentifier(handle.role);
  const where = whereIs(calls, place);
  const reassign =
    place.owns && handle.estate.owned === 'reassign'
      ? [
          // First, for only who may create in a schema can get a function in it.
          ...(await findSchemas(calls, role, where.database)).map(
            (schema) => `ALTER SCHEMA ${escapeIdentifier(schema)} OWNER TO ${heirOf(handle)}`,
          ),
          `REASSIGN OWNED BY ${leased} TO ${heirOf(handle)}`,
        ]
      : [];
  for (let statementMs = calls.pace.statementMs; ; statementMs *= 2) {
    try {
      await calls.change(
        'DropOwned',
        () => [guardRole(handle.role, role, looked, calls.remaining()), ...reassign, `DROP OWNED BY ${leased}`],
        { where, statementMs },
      );
      return;
    } catch (error) {
      // Much may hang on a role, so it is given longer and longer; not all of the attempt at once, which an answer that never
      // comes would use up.
      if (!hasCode(error, GIVEN_UP_CODE) || calls.remaining() < statementMs) {
        throw await explain(calls, handle, looked, role, where.database, error);
      }
    }
  }
}

function heirOf({ role, estate }: RoleHandle): string {
  if (estate.owned === 'reassign' && estate.owner !== null) return escapeIdentifier(estate.owner);
  throw new IntegrationError('Refused', {
    operation: 'DropOwned',
    entity: role,
    hint: 'The role owns something, and it is not known who should get it: reassign or drop what it owns by hand.',
  });
}

async function explain(
  calls: Calls,
  { estate }: RoleHandle,
  { version }: LookedUp,
  role: Role,
  name: string,
  error: unknown,
): Promise<unknown> {
  if (hasCode(error, '42704') && estate.owned === 'reassign') {
    return restate(
      error,
      'InvalidInput',
      `There is no role ${estate.owner ?? ''} any more, which should get what this one owns: create it again.`,
    );
  }
  if (hasCode(error, '42501') && estate.owned === 'reassign') {
    const owner = estate.owner ?? '';
    const closed = await findClosedSchemas(calls, role, owner, name);
    if (closed.length > 0) {
      return restate(
        error,
        'Refused',
        `In database ${name} the role made things in schemas in which ${owner} may not create, so it cannot get them: ` +
          `${enumerate(closed)}. Grant it CREATE on them.`,
      );
    }
    const way = (await mayHandOn(calls, owner))
      ? `In database ${name} the role made schemas, publications or the like, which only somebody can get who may make them: ` +
        `GRANT CREATE ON DATABASE ${name} TO ${owner}, or for a foreign server USAGE on its wrapper.`
      : handOnTo(owner, version);
    return restate(error, 'Refused', way);
  }
  if (!hasCode(error, '2BP01')) return error;
  const names = await findDependents(calls, role, name);
  return restate(
    error,
    'Unavailable',
    `In database ${name} these depend on what the role owns and are not its own: ${enumerate(names)}. ` +
      'Drop them, or have them depend on something else.',
  );
}

async function mayHandOn(calls: Calls, owner: string): Promise<boolean> {
  const [rows = []] = await calls.read('FindOwner', [
    `SELECT ${orchestratorMayHandOn()} AS able FROM pg_roles me CROSS JOIN pg_roles r ` +
      `WHERE me.rolname = current_user AND r.rolname = ${escapeLiteral(owner)}`,
  ]);
  return rows[0]?.['able'] === true;
}

/** The schemas that the role owns. */
async function findSchemas(calls: Calls, { oid }: Role, name: string): Promise<string[]> {
  const [rows = []] = await calls.read(
    'FindSchemas',
    [`SELECT nspname AS description FROM pg_namespace WHERE nspowner = ${oid} ORDER BY oid`],
    { database: name },
  );
  return described.parse(rows).map(({ description }) => description);
}

/** Schemas that hold something of the role, and in which the owner to be may not create. */
async function findClosedSchemas(calls: Calls, { oid }: Role, owner: string, name: string): Promise<string[]> {
  const [rows = []] = await calls.read(
    'FindSchemas',
    [
      'SELECT DISTINCT n.nspname AS description FROM pg_shdepend s ' +
        'JOIN pg_database b ON b.oid = s.dbid AND b.datname = current_database() ' +
        'JOIN pg_namespace n ON quote_ident(n.nspname) = (pg_identify_object(s.classid, s.objid, 0)).schema ' +
        `WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = ${oid} AND s.deptype = 'o' AND n.nspowner <> ${oid} ` +
        `AND NOT has_schema_privilege(${escapeLiteral(owner)}, n.oid, 'CREATE') ORDER BY 1 LIMIT ${MAX_NAMED + 1}`,
    ],
    { database: name },
  );
  return described.parse(rows).map(({ description }) => description);
}

/** Asked anew and not taken from the error, whose text repeats more than names. */
async function findDependents(calls: Calls, { oid }: Role, name: string): Promise<string[]> {
  const mine = (classid: string, objid: string): string =>
    'EXISTS (SELECT FROM pg_shdepend o JOIN pg_database b ON b.oid = o.dbid AND b.datname = current_database() ' +
    `WHERE o.refclassid = 'pg_authid'::regclass AND o.refobjid = ${oid} AND o.deptype = 'o' ` +
    `AND o.classid = ${classid} AND o.objid = ${objid})`;
  const [rows] = await calls.read(
    'FindDependents',
    [
      'SELECT DISTINCT pg_describe_object(x.classid, x.objid, x.objsubid) AS description FROM (' +
        'SELECT d.refclassid, d.refobjid, d.objsubid, ' +
        "CASE WHEN coalesce(w.ev_class, c.conrelid, t.tgrelid, a.adrelid, 0) <> 0 THEN 'pg_class'::regclass ELSE d.classid END AS classid, " +
        'coalesce(w.ev_class, nullif(c.conrelid, 0), t.tgrelid, a.adrelid, d.objid) AS objid FROM pg_depend d ' +
        "LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid " +
        "LEFT JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid " +
        "LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid " +
        "LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid " +
        "WHERE d.deptype = 'n') x " +
        `WHERE ${mine('x.refclassid', 'x.refobjid')} AND NOT ${mine('x.classid', 'x.objid')} ORDER BY 1 LIMIT ${MAX_NAMED + 1}`,
    ],
    { database: name },
  );
  return described.parse(rows ?? []).map(({ description }) => description);
}

/** Names come from whoever gave them: a few, and not much of each. */
function enumerate(names: readonly (string | null)[]): string {
  const few = names.slice(0, MAX_NAMED).map((name) => shown(name ?? ''));
  const more = names.length > MAX_NAMED ? ' and more' : '';
  return few.length === 0 ? 'nothing that can be named' : `${few.join(', ')}${more}`;
}
