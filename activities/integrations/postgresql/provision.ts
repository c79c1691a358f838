import { escapeIdentifier, escapeLiteral } from 'pg';
import type { Made } from '../integration';
import type { Calls } from './calls';
import type { PostgresqlConnection } from './connection';
import { describeCredential } from './credential';
import { deprovisionRole } from './deprovision';
import { GUARD_CODE, hasCode } from './errors';
import { fillGrant } from './grants';
import { assertGrantable, groupsOf, lookUpGroups } from './groups';
import { guardAge, guardRole } from './guard';
import type { RoleHandle } from './handle';
import { lookUp, readLook } from './look';
import type { LookedUp, Role } from './look';
import { assertOurs, writeComment } from './mark';
import { groupsHeldBy, leave } from './membership';
import type { PostgresqlParameters } from './parameters';
import { makePassword, scramVerifier } from './scram';

/** An earlier attempt's statement may arrive between a look and the change, and not more often than there are attempts. */
const MAX_ROUNDS = 3;

const DUPLICATE_CODES = ['42710', '23505'];

interface Wanted {
  readonly handle: RoleHandle;
  readonly parameters: PostgresqlParameters;
  readonly expiry: Date;
  readonly database: string;
}

/** Makes the lease's role with one password, over whatever earlier attempts left. */
export async function provisionRole(
  calls: Calls,
  handle: RoleHandle,
  parameters: PostgresqlParameters,
  expiry: Date,
  connection: PostgresqlConnection,
): Promise<Made> {
  const database = parameters.database ?? connection.database;
  const password = makePassword();
  const wanted: Wanted = { handle, parameters, expiry, database };
  await settle(calls, wanted, await scramVerifier(password));
  return describeCredential(connection, { role: handle.role, password, database, parameters, estate: handle.estate });
}

async function settle(calls: Calls, wanted: Wanted, verifier: string): Promise<void> {
  const { handle } = wanted;
  for (let round = 1; ; round += 1) {
    const looked = await look(calls, wanted);
    try {
      if (looked.role === undefined) {
        await createRole(calls, wanted, verifier, looked);
      } else {
        assertOurs(looked.role.comment, handle, calls.attempt);
        if (await hasMoreThanGroups(calls, looked.role)) {
          // The configuration may have changed between the attempts, and nothing but its removal takes all of that back.
          await deprovisionRole(calls, handle);
          continue;
        }
        await setPassword(calls, wanted, verifier, looked, looked.role);
      }
      return;
    } catch (error) {
      if (round >= MAX_ROUNDS || !hasCode(error, ...DUPLICATE_CODES, GUARD_CODE)) throw error;
    }
  }
}

async function look(calls: Calls, { handle, parameters }: Wanted): Promise<LookedUp> {
  const { role, estate } = handle;
  const groups = groupsOf(parameters);
  const owner = estate.owned === 'reassign' ? estate.owner : null;
  const [roles, found = []] = await calls.read('LookUpRole', [
    lookUp(role),
    ...(groups.length === 0 && owner === null ? [] : [lookUpGroups(groups, owner)]),
  ]);
  const looked = readLook(roles?.[0], role);
  assertGrantable(found, groups, estate, looked, role);
  return looked;
}

/** Whether a role was granted something itself, or given a setting for one database, as `grants` do. */
async function hasMoreThanGroups(calls: Calls, { oid }: Role): Promise<boolean> {
  const [rows] = await calls.read('LookUpGrants', [
    "SELECT EXISTS (SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND " +
      `refobjid = ${oid} AND deptype = 'a') OR ` +
      `EXISTS (SELECT FROM pg_db_role_setting WHERE setrole = ${oid} AND setdatabase <> 0) AS found`,
  ]);
  return rows?.[0]?.['found'] !== false;
}

/** One transaction: at no instant is there a role without its comment, its expiry or its limits. */
async function createRole(calls: Calls, wanted: Wanted, verifier: string, looked: LookedUp): Promise<void> {
  const { handle } = wanted;
  const name = escapeIdentifier(handle.role);
  await calls.change(
    'CreateRole',
    () => [
      guardAge(looked, calls.pace.validMs),
      `CREATE ROLE ${name} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT ` +
        loginOf(wanted, verifier),
      ...markAndGrant(calls, wanted),
      // Whatever it had to wait for: it takes effect in time or not at all.
      guardAge(looked, calls.pace.validMs),
    ],
    whereOf(wanted),
  );
}

/** For a role that an earlier attempt made: whatever password that one set is none from now on. */
async function setPassword(
  calls: Calls,
  wanted: Wanted,
  verifier: string,
  looked: LookedUp,
  role: Role,
): Promise<void> {
  const { handle, parameters } = wanted;
  const name = escapeIdentifier(handle.role);
  const groups = groupsOf(parameters);
  // The configuration may have changed between the attempts.
  const outdated = (await groupsHeldBy(calls, role)).filter((group) => !groups.includes(group));
  await calls.change(
    'SetPassword',
    () => [
      guardRole(handle.role, role, looked, calls.pace.validMs),
      `ALTER ROLE ${name} ${loginOf(wanted, verifier)}`,
      // Once more now that nobody else can change the role before this is over.
      guardRole(handle.role, role, looked, calls.pace.validMs),
      `ALTER ROLE ${name} RESET ALL`,
      ...leave(outdated, handle.role),
      ...markAndGrant(calls, wanted),
    ],
    whereOf(wanted),
  );
}

function loginOf({ parameters, expiry }: Wanted, verifier: string): string {
  return (
    `LOGIN CONNECTION LIMIT ${parameters.connection_limit} PASSWORD ${escapeLiteral(verifier)} ` +
    `VALID UNTIL ${escapeLiteral(expiry.toISOString())}`
  );
}

/**
 * Memberships come last: for each statement the server looks whether the orchestrator may, through every role that it has made. It
 * remembers what it has seen only until some membership changes, and without that takes many times as long.
 */
function markAndGrant(calls: Calls, { handle, parameters, expiry, database }: Wanted): string[] {
  const { set_role: setRole, grants } = parameters;
  const name = escapeIdentifier(handle.role);
  return [
    `COMMENT ON ROLE ${name} IS ${escapeLiteral(writeComment(calls.attempt, expiry, handle.estate))}`,
    ...(setRole === undefined ? [] : [`ALTER ROLE ${name} SET role TO ${escapeLiteral(setRole)}`]),
    ...groupsOf(parameters).map((group) => `GRANT ${escapeIdentifier(group)} TO ${name}`),
    ...grants.map((template) => fillGrant(template, { role: handle.role, database })),
  ];
}

/** Roles are the whole server's, but what else is granted is granted in the database where it is. */
function whereOf({ parameters, database }: Wanted) {
  return parameters.grants.length === 0 ? {} : { where: { database } };
}
