import { escapeLiteral } from 'pg';
import type { Calls } from './calls';

/**
 * Rolls back what the holder prepared for a two-phase commit: it outlives every session and holds its locks for ever. Only in
 * the name of whoever prepared it, and only in its own database, may that be done.
 */
export async function endPrepared(calls: Calls, role: string): Promise<void> {
  const [rows = []] = await calls.read('FindPrepared', [preparedBy(role)]);
  for (const { gid, database } of rows) {
    if (typeof gid !== 'string' || typeof database !== 'string') continue;
    await calls.change('EndPrepared', () => [`ROLLBACK PREPARED ${escapeLiteral(gid)}`], {
      where: { database, role },
      alone: true,
    });
  }
}

export function preparedBy(role: string): string {
  return `SELECT gid, database FROM pg_prepared_xacts WHERE owner = ${escapeLiteral(role)} ORDER BY prepared LIMIT 500`;
}
