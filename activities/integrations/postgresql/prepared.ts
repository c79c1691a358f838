import { escapeLiteral } from 'pg';
import type { Calls, Row } from './calls';

/** Rolls back what the holder prepared for a two-phase commit. */
export async function endPrepared(calls: Calls, role: string): Promise<void> {
  const [rows = []] = await calls.read('FindPrepared', [preparedBy(role)]);
  await rollBack(calls, role, rows);
}

/**
 * Rolls back what was found to be prepared: it outlives every session and holds its locks for ever. Only in the name of whoever
 * prepared it, and only in its own database, may that be done.
 */
export async function rollBack(calls: Calls, role: string, found: readonly Row[]): Promise<void> {
  for (const { gid, database } of found) {
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
