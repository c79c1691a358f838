import { IntegrationError } from '../integration';
import type { Calls } from './calls';
import type { Role } from './look';

/** What is left for removal once the sessions are gone. */
const RESERVE_MS = 1_500;

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
export async function countSessions(calls: Calls, { oid }: Role): Promise<number> {
  const [rows] = await calls.read('FindSessions', [
    `SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE usesysid = ${oid}`,
  ]);
  const sessions = rows?.[0]?.['sessions'];
  if (typeof sessions === 'number') return sessions;
  throw new IntegrationError('Unavailable', {
    operation: 'FindSessions',
    entity: calls.entity,
    hint: 'The answer was not understood.',
  });
}
