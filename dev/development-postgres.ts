import { setTimeout as sleep } from 'node:timers/promises';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { makePassword, scramVerifier } from '../activities/integrations/postgresql/scram';
import { cannotUse, inDatabase, namedPostgres, POSTGRES_URL } from './postgres-admin';
import type { PostgresAdmin } from './postgres-admin';
import { startPostgresServer } from './postgres-server';
import { PrerequisiteError } from './prerequisites';

export interface DevelopmentPostgresOptions {
  /** Of an embedded server. Taken if free; else another. */
  readonly port?: number;
  readonly logFile: string;
  /** Default: as LEASEHOLD_DEV_POSTGRES_URL says; null: an embedded one. */
  readonly admin?: PostgresAdmin | null;
}

/** A PostgreSQL with something to lease: a database with a table, a group that may read it, and who leases. */
export interface DevelopmentPostgres {
  readonly host: string;
  readonly port: number;
  readonly tls: PostgresAdmin['tls'];
  readonly database: string;
  /** The group role that a leased role joins. */
  readonly group: string;
  /** With what the names of leased roles begin. */
  readonly namePrefix: string;
  /** May make roles and hand out the group, and is no superuser. */
  readonly orchestrator: { readonly user: string; readonly password: string };
  /** Whether the server is the stack's own. */
  readonly embedded: boolean;
  /** The administrator's, for a look from outside. */
  readonly adminUrl: string;
  /** Settles when the embedded server has ended; never for another one. */
  readonly ended: Promise<void>;
  /** Ends the embedded server; takes everything out of another one that was made there, leased roles too. */
  stop(): Promise<void>;
}

const PREFIX = 'leasehold_dev';
const DATABASE = PREFIX;
const GROUP = `${PREFIX}_readonly`;
const USER = `${PREFIX}_orchestrator`;
/** Of the advisory lock that says that a stack is at work. */
const LOCK = [1_279_607_635, 1];
/** Names of leased roles. */
const LEASED = `^${PREFIX}-[a-z2-7]{8}-[a-z2-7]+$`;
const CONNECT_WITHIN_MS = 10_000;
/** After the connection of another stack has ended. */
const GIVEN_BACK_WITHIN_MS = 2_000;
const NO_TLS = { mode: 'disable', ca: null } as const;

/**
 * Starts an embedded PostgreSQL, or uses the one that LEASEHOLD_DEV_POSTGRES_URL names, and makes in it what can be leased.
 * @throws StartError, PrerequisiteError
 */
export async function startDevelopmentPostgres(options: DevelopmentPostgresOptions): Promise<DevelopmentPostgres> {
  const admin = options.admin === undefined ? namedPostgres() : options.admin;
  return admin === null ? startEmbedded(options) : useExisting(admin);
}

async function startEmbedded({ port, logFile }: DevelopmentPostgresOptions): Promise<DevelopmentPostgres> {
  const server = await startPostgresServer({ logFile, ...(port === undefined ? {} : { port }) });
  try {
    const adminUrl = `postgresql://${server.user}:${server.password}@${server.host}:${server.port}/postgres`;
    const password = await withClient(adminUrl, (client) => makeWhatIsLeased(client, adminUrl));
    return {
      ...described(server, password),
      tls: NO_TLS,
      embedded: true,
      adminUrl,
      ended: server.ended,
      stop: () => server.stop(),
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function useExisting(admin: PostgresAdmin): Promise<DevelopmentPostgres> {
  const client = newClient(admin.url);
  let mine = false;
  const stop = async (): Promise<void> => {
    try {
      // On a connection of its own: this one may have been lost long ago.
      if (mine) await withClient(admin.url, removeWhatWasLeased);
    } catch (error) {
      throw cannotUse(error);
    } finally {
      mine = false;
      await client.end();
    }
  };
  try {
    await client.connect();
    await takeServer(client);
    await refuseForeignDatabase(client);
    mine = true;
    // What a stack left whose process was killed.
    await removeWhatWasLeased(client);
    const password = await makeWhatIsLeased(client, admin.url);
    const ended = new Promise<void>(() => undefined);
    return { ...described(admin, password), tls: admin.tls, embedded: false, adminUrl: admin.url, ended, stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw cannotUse(error);
  }
}

function described({ host, port }: { readonly host: string; readonly port: number }, password: string) {
  return {
    host,
    port,
    database: DATABASE,
    group: GROUP,
    namePrefix: PREFIX,
    orchestrator: { user: USER, password },
  };
}

/**
 * One stack at a time: the server gives the lock back soon after this connection ends, however it ends. Such a lock is one of the
 * database that the connection is to, and what a stack makes is the whole server's, so the other databases are looked at as well.
 */
async function takeServer(client: Client): Promise<void> {
  const until = Date.now() + GIVEN_BACK_WITHIN_MS;
  for (;;) {
    await client.query(`SELECT pg_try_advisory_lock(${LOCK.join(', ')})`);
    const { rows } = await client.query<{ mine: boolean }>(
      `SELECT pid = pg_backend_pid() AS mine FROM pg_locks
       WHERE locktype = 'advisory' AND (classid, objid, objsubid) = (${LOCK.join(', ')}, 2) AND granted`,
    );
    if (rows.length > 0 && rows.every(({ mine }) => mine)) return;
    if (Date.now() > until) break;
    await sleep(100);
  }
  throw new PrerequisiteError(
    `Another development stack uses the PostgreSQL of ${POSTGRES_URL}: stop that first, or unset the variable.`,
  );
}

/** The orchestrator is made before the database and dropped after it: a database without one is somebody else's. */
async function refuseForeignDatabase(client: Client): Promise<void> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_database WHERE datname = '${DATABASE}' AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${USER}')`,
  );
  if (rowCount === 0) return;
  throw new PrerequisiteError(
    `The PostgreSQL of ${POSTGRES_URL} has a database ${DATABASE} that no development stack made: rename or drop it, or name another server.`,
  );
}

/** Answers the orchestrator's password. */
async function makeWhatIsLeased(client: Client, adminUrl: string): Promise<string> {
  const password = makePassword();
  await client.query(
    `CREATE ROLE ${USER} LOGIN CREATEROLE PASSWORD ${escapeLiteral(await scramVerifier(password))};
     CREATE ROLE ${GROUP};
     GRANT ${GROUP} TO ${USER} WITH ADMIN OPTION;
     GRANT ${USER} TO CURRENT_USER`,
  );
  // Runs in no transaction, and so by itself.
  await client.query(`CREATE DATABASE ${DATABASE}`);
  await withClient(inDatabase(adminUrl, DATABASE), (inside) =>
    inside.query(
      `CREATE TABLE orders (id int PRIMARY KEY, item text NOT NULL, quantity int NOT NULL);
       INSERT INTO orders VALUES (1, 'tea', 2), (2, 'rice', 5), (3, 'salt', 1);
       GRANT SELECT ON orders TO ${GROUP}`,
    ),
  );
  return password;
}

/**
 * Takes out the database and every role of the development stack. On recent servers only the orchestrator has power over the
 * roles that it made, so it is its rights that end them.
 * @throws PrerequisiteError that names what is left.
 */
async function removeWhatWasLeased(client: Client): Promise<void> {
  const all = await rolesOf(client);
  const leased = all.filter((role) => role !== USER && role !== GROUP);
  if (all.includes(USER)) {
    await attempt(client, `SET ROLE ${USER}`);
    for (const role of leased) {
      await attempt(client, `GRANT ${escapeIdentifier(role)} TO ${USER}`);
      await attempt(client, `ALTER ROLE ${escapeIdentifier(role)} NOLOGIN`);
      await attempt(
        client,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ${escapeLiteral(role)}`,
      );
    }
    await attempt(client, 'RESET ROLE');
  }
  await attempt(client, `DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
  if (all.includes(USER)) await attempt(client, `SET ROLE ${USER}`);
  for (const role of leased) {
    await attempt(client, `DROP OWNED BY ${escapeIdentifier(role)}`);
    await attempt(client, `DROP ROLE ${escapeIdentifier(role)}`);
  }
  await attempt(client, 'RESET ROLE');
  for (const role of [GROUP, USER]) await attempt(client, `DROP ROLE IF EXISTS ${role}`);
  const left = await rolesOf(client);
  if (left.length === 0) return;
  throw new PrerequisiteError(
    `The PostgreSQL of ${POSTGRES_URL} still has what a development stack made: drop these roles there: ${left.join(', ')}.`,
  );
}

/** The roles of the development stack at a server, and no others whose names only begin like theirs. */
async function rolesOf(client: Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ rolname: string }>(
    `SELECT rolname FROM pg_roles WHERE rolname IN ('${USER}', '${GROUP}') OR rolname ~ '${LEASED}' ORDER BY 1`,
  );
  return rows.map(({ rolname }) => rolname);
}

/** What fails is seen by what is left in the end. */
async function attempt(client: Client, statement: string): Promise<void> {
  await client.query(statement).catch(() => undefined);
}

async function withClient<T>(url: string, act: (client: Client) => Promise<T>): Promise<T> {
  const client = newClient(url);
  try {
    await client.connect();
    return await act(client);
  } finally {
    await client.end();
  }
}

function newClient(url: string): Client {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_WITHIN_MS });
  // A server that ends the connection must not end the process: the next statement tells.
  client.on('error', () => undefined);
  return client;
}
