import { escapeIdentifier } from 'pg';
import { IntegrationError } from '../integration';
import type { Removal } from '../integration';
import type { Calls } from './calls';
import { GUARD_CODE, hasCode } from './errors';
import { guardNoSessions, guardRole } from './guard';
import type { RoleHandle } from './handle';
import { lookUp, lookUpRole, readLook, VERSION_16 } from './look';
import type { LookedUp, Role } from './look';
import { assertOurs, readEstate } from './mark';
import { describeObstacles, removeOwned } from './owned';
import { endPrepared } from './prepared';
import { endAndFindPlaces } from './remains';
import { asMember, grantsItself, takeBack } from './self-grants';
import { readSessions, sessionsOf, terminate } from './holder-sessions';

/** A session that ends may leave something behind to the last; more often than this somebody else is at work. */
const MAX_ROUNDS = 4;

const DEPENDENT_CODE = '2BP01';
const LOCKED_CODE = '55P03';

/**
 * Removes the lease's role from whatever state it is in: first nobody can log in as it any more, then its last sessions end,
 * then what it owns goes, then the role.
 * @throws IntegrationError `Refused` when the name belongs to somebody else, who is not touched.
 */
export async function deprovisionRole(calls: Calls, planned: RoleHandle): Promise<Removal> {
  for (let round = 1; ; round += 1) {
    const looked = await lookUpRole(calls, planned.role);
    const { role } = looked;
    if (role === undefined) return { result: 'absent' };
    assertOurs(role.comment, planned, calls.attempt);
    // Who writes a history by hand must not make the orchestrator the owner of a holder's functions.
    const handle: RoleHandle = { ...planned, estate: readEstate(role.comment, planned.estate) };
    await disable(calls, handle, looked, role);
    await removeOwned(calls, handle, looked, role, await endAndFindPlaces(calls, handle, role));
    try {
      await drop(calls, handle, looked, role);
    } catch (error) {
      if (round === MAX_ROUNDS && hasCode(error, DEPENDENT_CODE)) throw await describeObstacles(calls, role, error);
      if (round === MAX_ROUNDS || !hasCode(error, GUARD_CODE, DEPENDENT_CODE)) throw error;
      continue;
    }
    await proveAbsence(calls, handle, role);
    return { result: 'removed' };
  }
}

/**
 * Access ends here, whatever comes next.
 *
 * A holder can hold the role itself: with a password that it gives itself in a transaction that it never ends. So the sessions
 * are ended first, and if that is not enough, what the holder prepared for a two-phase commit.
 */
async function disable(calls: Calls, handle: RoleHandle, looked: LookedUp, role: Role): Promise<void> {
  const guard = (): string => guardRole(handle.role, role, looked, calls.pace.validMs);
  const detour = grantsItself(looked);
  const taken = detour ? await takeBack(calls, handle, role) : [];
  const closing = [
    terminate(role),
    `ALTER ROLE ${escapeIdentifier(handle.role)} NOLOGIN CONNECTION LIMIT 0 PASSWORD NULL VALID UNTIL '-infinity'`,
    ...taken,
  ];
  const join = (): Promise<unknown> => calls.change('JoinRole', () => [guard(), ...joinRole(handle, looked)]);
  const close = (): Promise<unknown> =>
    calls.change('DisableRole', () => [
      guard(),
      ...(detour ? asMember(handle, closing) : [...joinRole(handle, looked), ...closing]),
    ]);
  try {
    await close();
  } catch (error) {
    if (!hasCode(error, LOCKED_CODE)) throw error;
    await join();
    await endPrepared(calls, handle.role);
    await close();
  }
  if (detour) await join();
}

/** The orchestrator becomes a member: without that it may neither end the role's sessions nor touch what it owns. */
function joinRole({ role }: RoleHandle, { superuser, version }: LookedUp): string[] {
  if (superuser) return [];
  const options = version >= VERSION_16 ? ' WITH INHERIT TRUE, SET TRUE' : '';
  return [`GRANT ${escapeIdentifier(role)} TO CURRENT_USER${options}`];
}

async function drop(calls: Calls, handle: RoleHandle, looked: LookedUp, role: Role): Promise<void> {
  await calls.change('DropRole', () => [
    guardRole(handle.role, role, looked, calls.remaining()),
    `DROP ROLE ${escapeIdentifier(handle.role)}`,
    // PostgreSQL drops a role whose sessions are running, and lets nobody but a superuser end them afterwards.
    guardNoSessions(role),
  ]);
}

async function proveAbsence(calls: Calls, handle: RoleHandle, role: Role): Promise<void> {
  const [found, counted] = await calls.read('LookUpRole', [lookUp(handle.role), sessionsOf(role)]);
  const { role: left } = readLook(found?.[0], handle.role);
  const sessions = readSessions(counted, handle.role);
  if (left === undefined && sessions === 0) return;
  throw new IntegrationError('Unavailable', {
    operation: 'LookUpRole',
    entity: handle.role,
    hint:
      left === undefined
        ? `The role is dropped, but ${sessions} of its sessions are still there: end them as a superuser.`
        : 'The role was dropped, and there is one of this name again.',
  });
}
