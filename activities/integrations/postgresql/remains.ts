import { IntegrationError } from '../integration';
import type { Calls, Row } from './calls';
import { readSessions, sessionsOf, terminate } from './holder-sessions';
import type { RoleHandle } from './handle';
import type { Role } from './look';
import type { Membership } from './membership';
import { placesOf, readPlaces } from './owned';
import type { Place } from './owned';
import { preparedBy, rollBack } from './prepared';
import { endStarting, patience, readStarting, startingSessions } from './starting';
import type { Starting } from './starting';

/** What is left for removal once nothing is under way any more. */
const RESERVE_MS = 1_500;

/** What a look finds of a holder that may not log in any more. */
interface Remains {
  readonly starting: readonly Starting[];
  readonly sessions: number;
  readonly prepared: readonly Row[];
  readonly places: readonly Place[];
}

/**
 * Ends what the holder of a role has under way that nobody can log in as any more, and answers where something hangs on the role
 * after that. Mostly nothing is under way, and then one look tells all of it.
 */
export async function endAndFindPlaces(
  calls: Calls,
  { role: name }: RoleHandle,
  role: Role,
  membership: Membership,
): Promise<readonly Place[]> {
  let firstAt: number | undefined;
  let suspected: readonly Starting[] | undefined;
  for (;;) {
    const askedAt = performance.now();
    const { starting, sessions, prepared, places } = await findRemains(calls, name, role);
    firstAt ??= performance.now();
    const ageMs = askedAt - firstAt;
    // One that was not there at the first look learns that it may not log in.
    const suspects = starting.filter(
      ({ transaction }) => suspected?.some((known) => known.transaction === transaction) ?? true,
    );
    if (suspects.length === 0 && sessions === 0 && prepared.length === 0) return places;
    if (calls.remaining() < RESERVE_MS) throw stillThere(calls, suspects.length, sessions, prepared.length);
    // Also before suspects are told to end: whoever may not do that takes them for somebody else's.
    await membership.join();
    // A session may prepare something to its last moment, so those go first, and there is always another look.
    if (sessions > 0) {
      await calls.change('EndSessions', () => [terminate(role)]);
      await calls.pause(calls.pace.sessionsMs);
    } else await rollBack(calls, name, prepared);
    suspected = await endStarting(calls, suspects, ageMs);
    if (suspected.length > 0) await calls.pause(patience(calls, ageMs));
  }
}

/**
 * In this order: without one that starts there is no session any more, without a session nothing is prepared, and without any of
 * them nothing is made. A holder that has very much hang on its role makes the whole text fail, which the next attempt meets anew;
 * but its sessions have been told to end by then.
 */
async function findRemains(calls: Calls, name: string, role: Role): Promise<Remains> {
  const [starting, sessions, prepared = [], places = []] = await calls.read('FindRemains', [
    startingSessions(),
    sessionsOf(role),
    preparedBy(name),
    placesOf(role),
  ]);
  return {
    starting: readStarting(starting),
    sessions: readSessions(sessions, name),
    prepared,
    places: readPlaces(places),
  };
}

function stillThere(calls: Calls, starting: number, sessions: number, prepared: number): IntegrationError {
  return new IntegrationError('Unavailable', {
    operation: 'EndSessions',
    entity: calls.entity,
    hint:
      'What the holder had under way was told to end and is still there: ' +
      `${sessions} sessions, ${prepared} prepared transactions, and ${starting} sessions that may be its own and have not started yet.`,
  });
}
