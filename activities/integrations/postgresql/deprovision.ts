import { escapeIdentifier } from 'pg';
import { IntegrationError } from '../integration';
import type { Removal } from '../integration';
import type { Calls } from './calls';
import { GUARD_CODE, hasCode } from './errors';
import { guardNoSessions, guardRole } from './guard';
import type { RoleHandle } from './handle';
import { lookUp, readLook } from './look';
import type { LookedUp, Role } from './look';
import { assertOurs, readEstate } from './mark';
import { createMembership, groupsHeldBy, leave } from './membership';
import type { Membership } from './membership';
import { describeObstacles, findPlaces, removeGranted, removeOwned } from './owned';
import { endPrepared } from './prepared';
import { endAndFindPlaces } from './remains';
import { restate } from '../own-errors';
import { asMember, grantsItself, takeBack } from './self-grants';
import { findRoleChangers } from './role-changers';
import { readSessions, sessionsNamed, sessionsOf, terminate } from './holder-sessions';

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
    const { looked, sessions } = await look(calls, planned.role);
    const { role } = looked;
    if (role === undefined) return { result: 'absent' };
    assertOurs(role.comment, planned, calls.attempt);
    // Who writes a history by hand must not make the orchestrator the owner of a holder's functions.
    const handle: RoleHandle = { ...planned, estate: readEstate(role.comment, planned.estate) };
    const membership = createMembership(calls, handle, looked, role);
    await disable(calls, handle, looked, role, { membership, isIdle: sessions === 0 });
    const places = await endAndFindPlaces(calls, handle, role, membership);
    if (places.length > 0) await membership.join();
    // As a member it may perhaps enter where it may not by itself.
    const entered = places.every(({ open }) => open) ? places : await findPlaces(calls, role);
    await removeOwned(calls, handle, looked, role, entered);
    try {
      await drop(calls, handle, looked, role);
    } catch (error) {
      if (round === MAX_ROUNDS && hasCode(error, DEPENDENT_CODE)) throw await describeObstacles(calls, role, error);
      if (round === MAX_ROUNDS || !hasCode(error, GUARD_CODE, DEPENDENT_CODE)) throw error;
      if (hasCode(error, DEPENDENT_CODE)) {
        await membership.join();
        await removeGranted(calls, handle, looked, role);
      }
      continue;
    }
    await proveAbsence(calls, handle, role);
    return { result: 'removed' };
  }
}

async function look(calls: Calls, name: string): Promise<{ readonly looked: LookedUp; readonly sessions: number }> {
  const [rows, counted] = await calls.read('LookUpRole', [lookUp(name), sessionsNamed(name)]);
  return { looked: readLook(rows?.[0], name), sessions: readSessions(counted, name) };
}

/**
 * Access ends here, whatever comes next.
 *
 * A holder can hold the role itself: with a password that it gives itself in a transaction that it never ends. So the sessions
 * are ended first, and if that is not enough, what the holder prepared for a two-phase commit. Where there was no session a moment
 * ago, all that is tried only if the role turns out to be held.
 */
async function disable(
  calls: Calls,
  handle: RoleHandle,
  looked: LookedUp,
  role: Role,
  { membership, isIdle }: { readonly membership: Membership; readonly isIdle: boolean },
): Promise<void> {
  const detour = grantsItself(looked);
  const taken = detour ? await takeBack(calls, handle, role) : [];
  const closing = `ALTER ROLE ${escapeIdentifier(handle.role)} NOLOGIN CONNECTION LIMIT 0 PASSWORD NULL VALID UNTIL '-infinity'`;
  const change = (compose: () => readonly string[]): Promise<unknown> =>
    calls.change('DisableRole', () => [guardRole(handle.role, role, looked, calls.pace.validMs), ...compose()]);
  const endAndClose = async (): Promise<void> => {
    const statements = [terminate(role), closing, ...taken];
    await change(() => (detour ? asMember(handle, statements) : [...membership.statements, ...statements]));
    if (!detour) membership.joined();
  };
  try {
    await (isIdle && !detour ? change(() => [closing]) : endAndClose());
  } catch (error) {
    if (!hasCode(error, LOCKED_CODE)) throw error;
    await membership.join();
    await endPrepared(calls, handle.role);
    try {
      await endAndClose();
    } catch (held) {
      if (!hasCode(held, LOCKED_CODE)) throw held;
      throw await cutOff(calls, handle, looked, role, held);
    }
  }
  if (detour) await membership.join();
}

/**
 * For a role that somebody else's session holds, as one can that calls a function by which the holder changes its own role, in a
 * transaction that it never ends. Without a change of the role its holder loses what can be taken: its sessions, and its groups.
 */
async function cutOff(
  calls: Calls,
  handle: RoleHandle,
  looked: LookedUp,
  role: Role,
  error: IntegrationError,
): Promise<IntegrationError> {
  const groups = await groupsHeldBy(calls, role);
  await calls.change('CutOff', () => [
    guardRole(handle.role, role, looked, calls.remaining()),
    terminate(role),
    ...leave(groups, handle.role),
  ]);
  const holders = await findRoleChangers(calls);
  return restate(
    error,
    'Unavailable',
    'Somebody keeps the role itself from being changed, so that it can still log in, without its groups: ' +
      `end ${holders.length === 0 ? 'the transaction that changes it' : holders.join(' or ')}. It is tried again.`,
  );
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
