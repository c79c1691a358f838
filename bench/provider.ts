import { join } from 'node:path';
import { Client, escapeLiteral } from 'pg';
import type { ClientConfig } from 'pg';
import { makePassword, scramVerifier } from '../activities/integrations/postgresql/scram';
import { startPostgresServer } from '../dev/postgres-server';
import type { PostgresServer } from '../dev/postgres-server';

/** The PostgreSQL of a bench, which all that is compared leases from. It does not wait for the disk, and forgets everything at the end. */
export interface Provider {
  readonly server: PostgresServer;
  readonly database: string;
  /** The group role that each leased role joins. It owns nothing. */
  readonly group: string;
  readonly orchestrator: Orchestrator;
  /** Makes more, once. PostgreSQL looks through all roles that an orchestrator has made at each of its statements, and at no other's. */
  addOrchestrators(count: number): Promise<readonly Orchestrator[]>;
  /** How many roles have names that begin with this. One that may not log in any more is not gone, and counts. */
  countRoles(prefix: string): Promise<number>;
  /** The names of those, in their order. */
  listRoles(prefix: string): Promise<readonly string[]>;
  /** All statements over one connection of the superuser, one after the other. */
  query(sql: string): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** A role that may make roles and hand out the group, and is no superuser. */
export interface Orchestrator {
  readonly user: string;
  readonly password: string;
}

/** For everything that is compared, side by side. */
const MAX_CONNECTIONS = 400;
const DATABASE = 'bench';
const GROUP = 'bench_group';
const USER = 'bench_orchestrator';

/** @param directory for its log. */
export async function startProvider(directory: string): Promise<Provider> {
  const server = await startPostgresServer({
    logFile: join(directory, 'postgres.log'),
    settings: { max_connections: String(MAX_CONNECTIONS) },
  });
  try {
    const { host, port, user, password } = server;
    const client = (database: string): Client => newClient({ host, port, user, password, database });
    await makeDatabase(client('postgres'));
    const admin = client(DATABASE);
    await admin.connect();
    await admin.query(`CREATE ROLE ${GROUP} NOLOGIN`);
    const orchestrator = await makeOrchestrator(admin, USER);
    const query = async (sql: string): Promise<readonly Record<string, unknown>[]> =>
      (await admin.query<Record<string, unknown>>(sql)).rows;
    const listRoles = async (prefix: string): Promise<readonly string[]> =>
      (await query(`SELECT rolname FROM pg_roles WHERE ${beginsWith(prefix)} ORDER BY 1`)).map((row) =>
        String(row['rolname']),
      );
    return {
      server,
      database: DATABASE,
      group: GROUP,
      orchestrator,
      addOrchestrators: (count) =>
        Promise.all(Array.from({ length: count }, (_, index) => makeOrchestrator(admin, `${USER}_${index + 1}`))),
      countRoles: async (prefix) => {
        const [row] = await query(`SELECT count(*) AS roles FROM pg_roles WHERE ${beginsWith(prefix)}`);
        return Number(row?.['roles']);
      },
      listRoles,
      query,
      stop: async () => {
        await admin.end().catch(() => undefined);
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** @throws Error for a prefix that everything begins with. */
function beginsWith(prefix: string): string {
  if (prefix === '') throw new Error('The prefix of the roles is empty, and would mean all roles of the server.');
  return `starts_with(rolname, ${escapeLiteral(prefix)})`;
}

/** Runs in no transaction, and so by itself. */
async function makeDatabase(client: Client): Promise<void> {
  try {
    await client.connect();
    await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

async function makeOrchestrator(client: Client, user: string): Promise<Orchestrator> {
  const password = makePassword();
  await client.query(
    `CREATE ROLE ${user} LOGIN CREATEROLE PASSWORD ${escapeLiteral(await scramVerifier(password))};
     GRANT ${GROUP} TO ${user} WITH ADMIN OPTION`,
  );
  return { user, password };
}

function newClient(connection: ClientConfig): Client {
  const client = new Client({ ...connection, connectionTimeoutMillis: 10_000 });
  // A server that ends the connection must not end the process: the next statement tells.
  client.on('error', () => undefined);
  return client;
}
