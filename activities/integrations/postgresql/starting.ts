import { escapeLiteral } from 'pg';
import { z } from 'zod';
import type { Calls, Row } from './calls';
import { hasCode } from './errors';

/**
 * A session that is still starting. Only once it has started does the server say whose it is, and it lets whoever logs in stretch
 * the time until then to more than half an hour, with `post_auth_delay`. Such a session outlives its role like every other.
 */
export interface Starting {
  /** The one transaction that it starts in. No other session is ever given the same. */
  readonly transaction: string;
  /** Whether it has come further than to be asked who it is: from then on it has locks in its database, or waits for them. */
  readonly admitted: boolean;
}

/** Nobody takes so long to start who does not mean to. */
const ORDINARY_MS = 1_000;

const NOT_ALLOWED_CODE = '42501';

const answer = z.array(z.object({ transaction: z.string(), admitted: z.boolean() }));

/**
 * All of them, whose ever they are. Until 17 the server does not show them as sessions, and from 18 on as nobody's and in no
 * database. Locks are looked at before sessions: one that has started in between is then a session.
 */
export function startingSessions(): string {
  return (
    'SELECT l.transaction, l.admitted FROM (SELECT pid, count(*) > 1 AS admitted, ' +
    'max(virtualxid) FILTER (WHERE virtualxid = virtualtransaction) AS transaction FROM pg_locks GROUP BY pid) l ' +
    'LEFT JOIN LATERAL pg_stat_get_activity(l.pid) s ON true ' +
    'WHERE l.transaction IS NOT NULL AND s.usesysid IS NULL AND s.datid IS NULL'
  );
}

export function readStarting(rows: readonly Row[] | undefined): readonly Starting[] {
  return answer.parse(rows);
}

/**
 * Tells those to end that take too long. Whose they are only PostgreSQL knows: it lets a member of the session's role do that and,
 * whose ever the session is, a superuser and whoever has pg_signal_backend, so nobody is told who may just be connecting.
 * @param ageMs for how long they are known, at least.
 * @returns those that may still be the role's. The others are somebody else's, or still have to say who they are.
 */
export async function endStarting(
  calls: Calls,
  suspects: readonly Starting[],
  ageMs: number,
): Promise<readonly Starting[]> {
  if (ageMs < ORDINARY_MS) return suspects;
  const left: Starting[] = [];
  for (const suspect of suspects) if (suspect.admitted && (await end(calls, suspect))) left.push(suspect);
  return left;
}

/** How long to wait for them until the next look: most are there in a moment, and the rest are to be told. */
export function patience(calls: Calls, ageMs: number): number {
  return Math.max(calls.pace.sessionsMs, Math.min(ageMs, ORDINARY_MS - ageMs));
}

/** Answers false when it is somebody else's. By its transaction and not its process, whose number another one may have by then. */
async function end(calls: Calls, { transaction }: Starting): Promise<boolean> {
  const own = escapeLiteral(transaction);
  try {
    await calls.change('EndSessions', () => [
      `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE virtualxid = ${own} AND virtualtransaction = ${own}`,
    ]);
    return true;
  } catch (error) {
    if (hasCode(error, NOT_ALLOWED_CODE)) return false;
    throw error;
  }
}
