import { Client, DatabaseError } from 'pg';
import type { IntegrationDeps } from '../integration';
import type { PostgresqlConnection } from './connection';
import type { Pace } from './pace';
import { resolveSecret } from './secret';
import { openTls } from './tls';

/** Which session is wanted: in which database, and as which role if not the orchestrator's own. */
export interface Whereto {
  readonly database: string;
  readonly role?: string;
}

/**
 * Names are looked up in PostgreSQL's own schema alone: what a holder puts into another one must never run with the
 * orchestrator's rights. The guards of guard.ts need to see what others committed meanwhile, and the server's clock to the
 * millisecond. The rest is what a holder who owns a database can otherwise have set for everybody who connects to it.
 */
const SETTINGS = [
  '-c search_path=pg_catalog',
  '-c default_transaction_isolation=read\\ committed',
  '-c default_transaction_read_only=off',
  '-c default_transaction_deferrable=off',
  '-c extra_float_digits=1',
  '-c synchronous_commit=on',
  '-c client_min_messages=warning',
  '-c standard_conforming_strings=on',
  '-c transform_null_equals=off',
  '-c exit_on_error=off',
  '-c row_security=on',
  '-c DateStyle=ISO',
  '-c local_preload_libraries=',
  '-c tcp_user_timeout=0',
  '-c tcp_keepalives_idle=0',
  '-c tcp_keepalives_interval=0',
  '-c tcp_keepalives_count=0',
];

/** Likewise, but from 17 and from 14 on: an older server begins no session with a setting that it does not know. */
const YOUNG_SETTINGS = ['-c transaction_timeout=0', '-c idle_session_timeout=0'];
const UNKNOWN_CODE = '42704';
/** How many of those a server did not know. */
const unknownTo = new WeakMap<PostgresqlConnection, number>();

/** Opens one connection. Password, certificates and keys are read at this moment: rotated ones are in force at once. */
export async function connectClient(
  connection: PostgresqlConnection,
  deps: Pick<IntegrationDeps, 'resolveReference'>,
  pace: Pace,
  where: Whereto,
): Promise<Client> {
  for (let unknown = unknownTo.get(connection) ?? 0; ; unknown += 1) {
    try {
      const client = await connectWith(YOUNG_SETTINGS.slice(unknown), connection, deps, pace, where);
      unknownTo.set(connection, unknown);
      return client;
    } catch (error) {
      if (unknown === YOUNG_SETTINGS.length || !(error instanceof DatabaseError && error.code === UNKNOWN_CODE))
        throw error;
    }
  }
}

async function connectWith(
  young: readonly string[],
  connection: PostgresqlConnection,
  { resolveReference }: Pick<IntegrationDeps, 'resolveReference'>,
  pace: Pace,
  { database, role }: Whereto,
): Promise<Client> {
  const { host, port, user, password: reference, tls } = connection;
  const password = reference === undefined ? '' : resolveSecret(reference, resolveReference);
  const client = new Client({
    host,
    port,
    user,
    database,
    // As a text, an empty one would be looked for in the environment and in a password file.
    password: () => password,
    ssl: await openTls(tls, resolveReference),
    application_name: 'leasehold',
    connectionTimeoutMillis: pace.connectMs,
    keepAlive: true,
    statement_timeout: pace.statementMs,
    lock_timeout: pace.lockMs,
    idle_in_transaction_session_timeout: pace.statementMs,
    options: [...SETTINGS, ...young, `-c role=${role ?? 'none'}`].join(' '),
  });
  // Without a listener the process would end when the server drops the connection.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
}
