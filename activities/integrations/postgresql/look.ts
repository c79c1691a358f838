import { escapeLiteral } from 'pg';
import { z } from 'zod';
import { IntegrationError } from '../integration';
import type { Reader, Row } from './calls';
import { POOLER } from './errors';

export interface Role {
  readonly oid: number;
  readonly comment: string | null;
}

/** What a look at a role tells, of the role and of the server. */
export interface LookedUp {
  /** Undefined: there is none of this name. */
  readonly role: Role | undefined;
  /** As PostgreSQL counts, e.g. 160004. */
  readonly version: number;
  /** Whether the orchestrator is a superuser. */
  readonly superuser: boolean;
  /** What the server's clock said, and what `performance.now()` said when that was heard. */
  readonly serverMs: number;
  readonly heardAt: number;
}

const answer = z.object({
  version: z.int(),
  superuser: z.boolean(),
  recovering: z.boolean(),
  direct: z.boolean(),
  server_ms: z.number(),
  oid: z.number().nullable(),
  comment: z.string().nullable(),
});

/** From this version on whoever makes a role is given ADMIN OPTION on it, and CREATEROLE alone is worth nothing. */
export const VERSION_16 = 160_000;

export function lookUp(name: string): string {
  return (
    "SELECT current_setting('server_version_num')::int AS version, me.rolsuper AS superuser, " +
    "pg_is_in_recovery() AS recovering, current_setting('search_path') = 'pg_catalog' AS direct, " +
    'extract(epoch FROM clock_timestamp())::float8 * 1000 AS server_ms, ' +
    "r.oid, shobj_description(r.oid, 'pg_authid') AS comment " +
    `FROM pg_roles me LEFT JOIN pg_roles r ON r.rolname = ${escapeLiteral(name)} WHERE me.rolname = current_user`
  );
}

/** Whoever has the name. */
export async function lookUpRole(reader: Reader, name: string): Promise<LookedUp> {
  const [rows] = await reader.read('LookUpRole', [lookUp(name)]);
  return readLook(rows?.[0], name);
}

/** @throws IntegrationError `Unavailable` when it was a copy that answered: what it does not know yet may exist. */
export function readLook(row: Row | undefined, name: string): LookedUp {
  const { data } = answer.safeParse(row);
  const unusable = (hint: string): IntegrationError =>
    new IntegrationError('Unavailable', { operation: 'LookUpRole', entity: name, hint });
  if (data === undefined) throw unusable('The answer was not understood.');
  if (data.recovering) throw unusable('The server is a standby, which changes nothing and may lag: name the primary.');
  if (!data.direct) throw unusable(`The settings that this connection began with were dropped on the way. ${POOLER}`);
  return {
    role: data.oid === null ? undefined : { oid: data.oid, comment: data.comment },
    version: data.version,
    superuser: data.superuser,
    serverMs: data.server_ms,
    heardAt: performance.now(),
  };
}
