import { IntegrationError } from '../integration';
import type { Calls, Row } from './calls';
import type { Role } from './look';

/** What is left for removal once the sessions are gone. */
export const RESERVE_MS = 1_500;

/** Ends every session of a role that nobody can log in as any more, and waits until the last one is gone. */
export async function endSessions(calls: Calls, role: Role): Promise<void> {
  for (let left = await countSessions(calls, role); left > 0; left = await countSessions(calls, role)) {
    if (calls.remaining() < RESERVE_MS) {
      throw new IntegrationError('Unavailable', {
        operation: 'EndSessions',
        entity: calls.entity,
        hint: `${left} of the role's sessions were told to end and are still there.`,
      });
    }
    await calls.change('EndSessions', () => [terminate(role)]);
    await calls.pause(calls.pace.sessionsMs);
  }
}

/** Tells every session of the role to end. */
export function terminate({ oid }: Role): string {
  return `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = ${oid}`;
}

/** By the role's number and not its name, which a session loses when its role is dropped. */
async function countSessions(calls: Calls, role: Role): Promise<number> {
  const [rows] = await calls.read('FindSessions', [sessionsOf(role)]);
  return readSessions(rows, calls.entity);
}

export function sessionsOf({ oid }: Role): string {
  return `SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE usesysid = ${oid}`;
}

export function readSessions(rows: readonly Row[] | undefined, entity: string): number {
  const sessions = rows?.[0]?.['sessions'];
  if (typeof sessions === 'number') return sessions;
  throw new IntegrationError('Unavailable', {
    operation: 'FindSessions',
    entity,
    hint: 'The answer was not understood.',
  });
}
