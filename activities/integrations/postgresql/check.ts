import { z } from 'zod';
import { escapeLiteral } from 'pg';
import { IntegrationError } from '../integration';
import type { Check } from '../integration';
import { openReader } from './calls';
import type { CallContext } from './calls';
import type { PostgresqlConnection } from './connection';
import { POOLER } from './errors';
import { VERSION_16 } from './look';
import { orchestratorHas } from './rights';

const OLDEST = 130_000;
const MAX_NAMED = 10;

const answer = z.object({
  identity: z.string(),
  version: z.int(),
  superuser: z.boolean(),
  createrole: z.boolean(),
  inherit: z.boolean(),
  recovering: z.boolean(),
  encrypted: z.boolean(),
  direct: z.boolean(),
  strangers: z.int(),
  grantable: z.array(z.string()),
  closed: z.array(z.string()),
});

type Answer = z.output<typeof answer>;

/** Reads what the orchestrator's role may do. Makes nothing. */
export async function checkConnection(
  context: CallContext,
  connection: PostgresqlConnection,
  signal: AbortSignal,
): Promise<Check> {
  const [rows] = await openReader(context, signal).read('CheckRights', [question(connection.name_prefix)]);
  const found = answer.safeParse(rows?.[0]).data;
  if (found === undefined) {
    throw new IntegrationError('Unavailable', { operation: 'CheckRights', hint: 'The answer was not understood.' });
  }
  return {
    identity: found.identity,
    missingRights: missingRights(found),
    untriedRights: ['ADMIN OPTION on the group roles', 'membership in the owner', 'GRANT OPTION for grants'],
    quota: null,
    notes: [...describeServer(found), ...describeRights(found), ...describeWay(found, connection)],
  };
}

/** A pooler that does not refuse the settings that a connection begins with drops them. */
function question(prefix: string): string {
  const first = escapeLiteral(`${prefix}-`);
  const admin = orchestratorHas('MEMBER WITH ADMIN OPTION');
  return (
    "SELECT current_user::text AS identity, current_setting('server_version_num')::int AS version, " +
    'me.rolsuper AS superuser, me.rolcreaterole AS createrole, me.rolinherit AS inherit, ' +
    'pg_is_in_recovery() AS recovering, ' +
    'coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted, ' +
    `ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE NOT r.rolsuper AND NOT starts_with(r.rolname, ${first}) ` +
    `AND r.rolname <> current_user AND ${admin} ORDER BY 1 LIMIT ${MAX_NAMED + 1}) AS grantable, ` +
    `(SELECT count(*)::int FROM pg_roles r WHERE starts_with(r.rolname, ${first}) AND NOT ${admin}) AS strangers, ` +
    'ARRAY(SELECT datname::text FROM pg_database WHERE NOT datistemplate AND NOT (datallowconn ' +
    `AND has_database_privilege(oid, 'CONNECT')) ORDER BY 1 LIMIT ${MAX_NAMED + 1}) AS closed, ` +
    "current_setting('search_path') = 'pg_catalog' AS direct FROM pg_roles me WHERE me.rolname = current_user"
  );
}

function missingRights({ superuser, createrole, inherit, version }: Answer): string[] {
  if (superuser) return [];
  return [
    ...(createrole ? [] : ['CREATEROLE']),
    // Afterwards it is each membership that says whether it is inherited.
    ...(inherit || version >= VERSION_16 ? [] : ['INHERIT']),
  ];
}

function describeServer({ version, recovering }: Answer): string[] {
  return [
    ...(version < OLDEST ? ['The server is older than PostgreSQL 13, the oldest that Leasehold is made for.'] : []),
    ...(recovering ? ['The server is a standby, which makes no roles: name the primary in host.'] : []),
  ];
}

function describeRights({ superuser, version, grantable, strangers, closed }: Answer): string[] {
  if (superuser) {
    return [
      'The orchestrator is a superuser: whoever gets hold of its password owns the server. ' +
        'A role with CREATEROLE is enough.',
    ];
  }
  const limited = version >= VERSION_16;
  return [
    ...(limited
      ? [
          grantable.length === 0
            ? 'The orchestrator has ADMIN OPTION on no group role, so no lease can become a member of one.'
            : `Leases can become members of: ${enumerate(grantable)}.`,
        ]
      : []),
    ...(limited && strangers > 0
      ? [
          `${strangers} roles with the prefix were made by another role than the orchestrator's, which cannot remove them: ` +
            'a superuser can grant it each WITH ADMIN OPTION.',
        ]
      : []),
    ...(closed.length === 0
      ? []
      : [`The orchestrator may not connect to ${enumerate(closed)}: what holders leave there cannot be removed.`]),
  ];
}

function describeWay({ encrypted, direct }: Answer, { tls }: PostgresqlConnection): string[] {
  return [
    ...(encrypted ? [] : ['The connection is not encrypted: everyone on the way can read and change what is sent.']),
    ...(encrypted && tls.mode === 'require'
      ? ['tls.mode is require: the server is not asked for proof of who it is. verify-full asks for it.']
      : []),
    ...(direct ? [] : [`The server was not reached directly. ${POOLER}`]),
  ];
}

function enumerate(names: readonly string[]): string {
  const more = names.length > MAX_NAMED ? ' and more' : '';
  return `${names.slice(0, MAX_NAMED).join(', ')}${more}`;
}
