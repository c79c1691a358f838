import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import type { ClientConfig } from 'pg';
import type { Attempt, Facts, Integration, Made, Removal } from '../../activities/integrations/integration';
import { VERSION_16 } from '../../activities/integrations/postgresql/look';
import type { Pace } from '../../activities/integrations/postgresql/pace';
import { PACE } from '../../activities/integrations/postgresql/pace';
import { connectPostgresql } from '../../activities/integrations/postgresql/integration';
import { postgresql } from '../../activities/integrations/postgresql/postgresql';
import { scramVerifier } from '../../activities/integrations/postgresql/scram';
import { startPostgresServer } from '../../dev/postgres-server';
import type { PostgresServer, PostgresServerOptions } from '../../dev/postgres-server';
import { randomLeaseId } from '../../client/lease-id';
import type { Handle } from '../../workflows/contract';
import { createFakeFence } from './fake-fence';
import type { FakeFence } from './fake-fence';

export const DEPLOYMENT = 'testdepl';
export const EXPIRY = new Date('2031-02-03T04:05:06.000Z');
export const ORCHESTRATOR = 'leasehold orchestrator';

/** Group roles that leases may be members of, and the databases of the server. Strange on purpose. */
export const READERS = 'app "readers"';
export const OWNER = "app-owner's";
export const DATABASE = 'app "data"-bäse';
export const OTHER_DATABASE = 'other';

/** As patient as the real pace in kind, so that a test of what hangs takes no long time. */
export const QUICK: Pace = { ...PACE, statementMs: 6_000, sessionsMs: 10 };

/** A PostgreSQL with an orchestrator that may do no more than it must. */
export interface PostgresSetting {
  readonly server: PostgresServer;
  /** As PostgreSQL counts, e.g. 160004. */
  readonly version: number;
  /** The orchestrator's own password. */
  readonly password: string;
  /** The superuser, in any database. */
  admin(database?: string): Promise<Client>;
  /** Runs one text as the superuser. */
  ask<Row extends object>(sql: string, database?: string): Promise<readonly Row[]>;
  /** Everything that the server logged so far. */
  log(): Promise<string>;
  open(settings?: object, options?: FixtureOptions): PostgresFixture;
  close(): Promise<void>;
}

export interface FixtureOptions {
  readonly pace?: Pace;
  readonly password?: () => string;
}

export interface PostgresFixture {
  readonly integration: Integration<ReturnType<typeof postgresql.parameters.parse>>;
  /** @param parameters as in the configuration file. Default: a reader whose things go to the owner. */
  lease(parameters?: object, leaseId?: string): PostgresLease;
}

export interface AttemptOptions {
  readonly fence?: FakeFence;
  /** Milliseconds until the attempt is over. Default 20 s. */
  readonly withinMs?: number;
  /** Another handle than the one planned, e.g. from a listing. */
  readonly handle?: Handle;
}

/** One lease's dealings with the integration, without a workflow. */
export interface PostgresLease {
  readonly leaseId: string;
  readonly role: string;
  readonly handle: Handle;
  provision(attempt?: AttemptOptions): Promise<Made>;
  extend(expiry: Date, attempt?: AttemptOptions): Promise<void>;
  /** With the facts that its provision told, as a workflow gives them. */
  deprovision(attempt?: AttemptOptions): Promise<Removal>;
}

export async function openPostgresSetting(
  options: Pick<PostgresServerOptions, 'binaries' | 'settings'> = {},
): Promise<PostgresSetting> {
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-test-'));
  const logFile = join(directory, 'postgres.log');
  const server = await startPostgresServer({ ...options, logFile });
  const password = randomBytes(18).toString('base64url');
  const clients: Client[] = [];
  const fixtures: Integration[] = [];

  async function admin(database = 'postgres'): Promise<Client> {
    const client = await connectAs(server, { user: server.user, password: server.password, database });
    clients.push(client);
    return client;
  }

  async function ask<Row extends object>(sql: string, database = 'postgres'): Promise<readonly Row[]> {
    const client = await connectAs(server, { user: server.user, password: server.password, database });
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  const [asked] = await ask<{ version: number }>("SELECT current_setting('server_version_num')::int AS version");
  const { version } = asked!;
  for (const sql of setUp(await scramVerifier(password), version)) await ask(sql);
  for (const database of [DATABASE, OTHER_DATABASE]) {
    await ask(`GRANT CREATE ON SCHEMA public TO PUBLIC`, database);
    await ask(`GRANT CREATE ON DATABASE ${escapeIdentifier(database)} TO PUBLIC`);
  }

  return {
    server,
    version,
    password,
    admin,
    ask,
    log: () => readFile(logFile, 'utf8'),
    open: (settings = {}, { pace = QUICK, password: current = () => password } = {}) => {
      const connection = postgresql.connection.parse({
        host: server.host,
        port: server.port,
        database: DATABASE,
        user: ORCHESTRATOR,
        password: 'env:ORCHESTRATOR_PASSWORD',
        tls: { mode: 'disable' },
        ...settings,
      });
      const integration = connectPostgresql(
        connection,
        { resolveReference: current, throttle: () => Promise.resolve() },
        pace,
      );
      fixtures.push(integration);
      return {
        integration,
        lease: (written = { roles: [READERS], owner: OWNER }, leaseId = randomLeaseId()) => {
          const parameters = postgresql.parameters.parse(written);
          const mark = { leaseId, deployment: DEPLOYMENT };
          const { entity: role, handle } = postgresql.plan(
            { ...mark, integration: 'db', ttlMs: 60_000, issueTimeoutMs: 60_000 },
            connection,
            parameters,
          );
          let told: Facts | undefined;
          const attempt = ({ fence, withinMs = 20_000 }: AttemptOptions): Attempt => ({
            ...mark,
            fence: fence ?? createFakeFence(),
            deadline: new Date(Date.now() + withinMs),
          });
          return {
            leaseId,
            role,
            handle,
            provision: async (each = {}) => {
              const made = await integration.provision(handle, parameters, EXPIRY, attempt(each));
              told = made.facts;
              return made;
            },
            extend: (expiry, each = {}) => integration.extend(handle, expiry, attempt(each)),
            deprovision: (each = {}) => integration.deprovision(each.handle ?? handle, attempt(each), told),
          };
        },
      };
    },
    close: async () => {
      for (const fixture of fixtures) fixture.close();
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** As whoever holds a credential. What the server ends later is no error of the test's. */
export async function connectAs(
  server: Pick<PostgresServer, 'host' | 'port'>,
  login: Pick<ClientConfig, 'user' | 'password' | 'database' | 'options' | 'connectionTimeoutMillis'>,
): Promise<Client> {
  const client = new Client({
    host: server.host,
    port: server.port,
    ssl: false,
    connectionTimeoutMillis: 5_000,
    ...login,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
}

/** A session with nothing but the `URL` of a credential. */
export async function connectWith({ credential }: Pick<Made, 'credential'>, database?: string): Promise<Client> {
  const url = new URL(credential['URL']!);
  return connectAs(
    { host: url.hostname, port: Number(url.port) },
    {
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: database ?? decodeURIComponent(url.pathname.slice(1)),
    },
  );
}

/** As docs/integrations/postgresql.md says. */
function setUp(verifier: string, version: number): string[] {
  const [orchestrator, readers, owner] = [ORCHESTRATOR, READERS, OWNER].map((name) => escapeIdentifier(name));
  return [
    `CREATE ROLE ${orchestrator!} LOGIN CREATEROLE PASSWORD ${escapeLiteral(verifier)}`,
    `CREATE ROLE ${readers!} NOLOGIN`,
    `CREATE ROLE ${owner!} NOLOGIN`,
    ...(version < VERSION_16
      ? [`GRANT ${owner!} TO ${orchestrator!}`]
      : [
          `GRANT ${readers!} TO ${orchestrator!} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`,
          `GRANT ${owner!} TO ${orchestrator!} WITH ADMIN TRUE, INHERIT TRUE`,
        ]),
    ...[DATABASE, OTHER_DATABASE].map((name) => `CREATE DATABASE ${escapeIdentifier(name)}`),
  ];
}
