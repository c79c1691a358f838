import { z } from 'zod';
import type { Calls } from './calls';
import { shown } from './shown';

const MAX_NAMED = 5;

const answer = z.array(
  z.object({ pid: z.int().nullable(), role: z.string().nullable(), prepared: z.string().nullable() }),
);

/** Who has changed some role in a transaction that is not over, in words. Which role it was nobody but a superuser can see. */
export async function findRoleChangers(calls: Calls): Promise<readonly string[]> {
  const [rows = []] = await calls.read('FindRoleChangers', [
    'SELECT DISTINCT l.pid, a.usename::text AS role, p.gid AS prepared FROM pg_locks l ' +
      'LEFT JOIN pg_stat_activity a ON a.pid = l.pid ' +
      "LEFT JOIN pg_prepared_xacts p ON l.pid IS NULL AND p.transaction::text = split_part(l.virtualtransaction, '/', 2) " +
      "WHERE l.relation = 'pg_authid'::regclass AND l.mode = 'RowExclusiveLock' AND l.granted " +
      `AND l.pid IS DISTINCT FROM pg_backend_pid() ORDER BY 1 LIMIT ${MAX_NAMED}`,
  ]);
  return answer
    .parse(rows)
    .map(({ pid, role, prepared }) =>
      pid === null ? `the prepared transaction ${named(prepared)}` : `session ${pid} of ${named(role)}`,
    );
}

function named(name: string | null): string {
  return shown(name ?? 'an unknown role');
}
