import { escapeLiteral } from 'pg';
import { IntegrationError } from '../integration';
import type { Row } from './calls';
import type { Estate } from './handle';
import { VERSION_16 } from './look';
import type { LookedUp } from './look';
import type { PostgresqlParameters } from './parameters';
import { orchestratorHas, orchestratorMayHandOn } from './rights';

/** Every role that a lease is to be a member of. */
export function groupsOf({ roles, set_role: setRole }: PostgresqlParameters): readonly string[] {
  return [...new Set([...roles, ...(setRole === undefined ? [] : [setRole])])];
}

/**
 * Asks of each role whether it is there and what the orchestrator may do with it: with a group, whether it may be granted; with
 * the owner, whether things can be handed on to it.
 */
export function lookUpGroups(groups: readonly string[], owner: string | null): string {
  const rows = allOf(groups, owner).map(
    (name) => `(${escapeLiteral(name)}, ${groups.includes(name)}, ${name === owner})`,
  );
  return (
    'SELECT w.name, r.oid IS NOT NULL AS found, ' +
    `CASE WHEN w.is_group THEN ${orchestratorHas('MEMBER WITH ADMIN OPTION')} END AS admin, ` +
    `CASE WHEN w.is_owner THEN ${orchestratorMayHandOn()} END AS usage, ` +
    "pg_has_role(r.oid, current_user, 'MEMBER') AS above, " +
    'EXISTS (SELECT FROM pg_database d WHERE d.datname = current_database() ' +
    "AND pg_has_role(r.oid, d.datdba, 'MEMBER')) AS owns_home " +
    `FROM pg_roles me CROSS JOIN (VALUES ${rows.join(', ')}) w(name, is_group, is_owner) ` +
    'LEFT JOIN pg_roles r ON r.rolname = w.name WHERE me.rolname = current_user'
  );
}

/**
 * Lets only what can work pass, before anything is made: each group role can be granted, and what a holder leaves behind can
 * be handed on when the lease ends.
 * @throws IntegrationError that names the role and what is missing.
 */
export function assertGrantable(
  rows: readonly Row[],
  groups: readonly string[],
  estate: Estate,
  { version, superuser }: LookedUp,
  entity: string,
): void {
  const known = new Map(rows.map((row) => [row['name'], row]));
  const fail = (type: 'InvalidInput' | 'Refused', hint: string): IntegrationError =>
    new IntegrationError(type, { operation: 'LookUpRole', entity, hint });
  const owner = estate.owned === 'reassign' ? estate.owner : null;
  for (const name of allOf(groups, owner)) {
    if (known.get(name)?.['found'] !== true) {
      throw fail('InvalidInput', `There is no role ${name} on this server: create it, or correct the parameters.`);
    }
  }
  for (const name of groups) {
    const group = known.get(name);
    if (group?.['above'] === true && !superuser) {
      throw fail('InvalidInput', `The role ${name} is a member of the orchestrator's own role: leases must not be.`);
    }
    if (group?.['owns_home'] === true) throw fail('InvalidInput', keepsOut(name));
    if (version >= VERSION_16 && group?.['admin'] !== true) {
      throw fail('Refused', `Let the orchestrator grant this role: GRANT ${name} TO its role WITH ADMIN OPTION.`);
    }
  }
  if (owner === null) return;
  const heir = known.get(owner);
  if (heir?.['above'] === true) {
    throw fail(
      'InvalidInput',
      `The owner ${owner} has the orchestrator's own power: functions that holders leave would run with it. Name another.`,
    );
  }
  if (heir?.['usage'] !== true) throw fail('Refused', handOnTo(owner, version));
}

/** The way out where the orchestrator may not hand things on to their owner to be. */
export function handOnTo(owner: string, version: number): string {
  const options = version < VERSION_16 ? '' : ' WITH INHERIT TRUE, SET TRUE';
  return `Let the orchestrator hand things on to the owner: GRANT ${owner} TO its role${options}.`;
}

/** Whoever owns a database can close it to everybody, or set there what makes each session useless. */
function keepsOut(group: string): string {
  return (
    `The role ${group} owns the database in which the orchestrator works, or can act as who does, and so could keep it from ` +
    "ending leases. Name another one in the integration's connection.database, such as postgres, and this one in the " +
    "dynamic secret's parameters."
  );
}

/** Each once. */
function allOf(groups: readonly string[], owner: string | null): readonly string[] {
  return [...new Set(owner === null ? groups : [...groups, owner])];
}
