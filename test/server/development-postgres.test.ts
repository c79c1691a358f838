import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevelopmentPostgres } from '../../dev/development-postgres';
import type { DevelopmentPostgres } from '../../dev/development-postgres';
import { openSession, roleNumber, tryQuery } from '../../dev/postgres-calls';
import type { OpenSession } from '../../dev/postgres-calls';
import { namedPostgres } from '../../dev/postgres-admin';
import { startPostgresServer } from '../../dev/postgres-server';
import type { PostgresServer } from '../../dev/postgres-server';

const LEASED = 'leasehold_dev-abcdefgh-abcdefghijkl';
const OTHERS = 'leasehold_development';

let directory: string;
let logFile: string;
let server: PostgresServer;
let superuser: OpenSession;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
  logFile = join(directory, 'log');
  server = await startPostgresServer({ logFile });
  superuser = await openSession(urlOf(server.user, server.password));
  await superuser.query(
    `CREATE ROLE boss LOGIN CREATEROLE CREATEDB PASSWORD 'boss'; CREATE ROLE weak LOGIN PASSWORD 'weak'; CREATE ROLE ${OTHERS}`,
  );
  await superuser.query('CREATE DATABASE other');
}, 60_000);

afterAll(async () => {
  await superuser.close();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

const urlOf = (user: string, password: string, database = 'postgres'): string =>
  `postgresql://${user}:${password}@${server.host}:${server.port}/${database}`;

const start = (url: string): Promise<DevelopmentPostgres> =>
  startDevelopmentPostgres({ logFile, admin: namedPostgres(url) });

/** What a development stack has at the server. */
async function ours(): Promise<readonly unknown[]> {
  const rows = await superuser.query(
    `SELECT rolname AS name FROM pg_roles WHERE rolname LIKE 'leasehold%' AND rolname <> '${OTHERS}'
     UNION ALL SELECT datname FROM pg_database WHERE datname LIKE 'leasehold%'`,
  );
  return rows.map(({ name }) => name);
}

test('an embedded server holds a table that the group may read, and an orchestrator that is no superuser', async () => {
  const own = await startDevelopmentPostgres({ logFile, admin: null });
  try {
    const { host, port, database, group, orchestrator } = own;
    const login = (user: string, password: string): string =>
      `postgresql://${user}:${password}@${host}:${port}/${database}`;
    const as = login(orchestrator.user, orchestrator.password);
    expect(await tryQuery(as, `CREATE ROLE "${LEASED}" LOGIN PASSWORD 'leased' IN ROLE ${group}`)).toBe('ok');
    expect(await tryQuery(as, 'CREATE ROLE boss SUPERUSER')).toBe('42501');
    expect(await tryQuery(login(LEASED, 'leased'), 'SELECT * FROM orders')).toBe('ok');
    expect(await tryQuery(login(LEASED, 'leased'), 'DELETE FROM orders')).toBe('42501');
  } finally {
    await own.stop();
  }
});

test('a port that is taken is not waited for', async () => {
  const other = await startPostgresServer({ logFile, port: server.port });
  expect(other.port).not.toBe(server.port);
  await other.kill();
  expect(await tryQuery(`postgresql://x@${other.host}:${other.port}/postgres`, 'SELECT 1')).toBe('ECONNREFUSED');
});

describe.each([
  ['a superuser', (database?: string) => urlOf(server.user, server.password, database)],
  ['one that may make roles and databases', (database?: string) => urlOf('boss', 'boss', database)],
])("somebody's server, by the URL of %s", (_, url) => {
  test('is rid at stop of all that was made, of a lease with an open session too, and of nothing else', async () => {
    const used = await start(url());
    const { orchestrator, database, group } = used;
    const as = urlOf(orchestrator.user, orchestrator.password, database);
    await tryQuery(as, `CREATE ROLE "${LEASED}" LOGIN PASSWORD 'leased' IN ROLE ${group}`);
    const holder = await openSession(urlOf(LEASED, 'leased', database));
    await holder.query('CREATE TEMP TABLE mine AS SELECT * FROM orders');
    expect(await ours()).toHaveLength(4);
    await used.stop();
    expect((await holder.cut).code).toBe('57P01');
    expect(await ours()).toEqual([]);
    expect(await roleNumber(superuser, OTHERS)).not.toBeNull();
    await used.stop();
  });

  test('serves one stack at a time, and what a killed one left is gone after the next', async () => {
    const killed = await start(url());
    for (const database of ['postgres', 'other']) {
      await expect(start(url(database))).rejects.toThrow('Another development stack uses the PostgreSQL');
    }
    expect(await ours()).toHaveLength(3);
    const { orchestrator, database } = killed;
    await tryQuery(urlOf(orchestrator.user, orchestrator.password, database), `CREATE ROLE "${LEASED}" LOGIN`);
    await superuser.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`);
    const next = await start(url());
    expect(await roleNumber(superuser, LEASED)).toBeNull();
    await next.stop();
    expect(await ours()).toEqual([]);
  });
});

test('a database that happens to have the name of ours is left alone', async () => {
  await superuser.query('CREATE DATABASE leasehold_dev');
  await expect(start(urlOf(server.user, server.password))).rejects.toThrow('that no development stack made');
  expect(await ours()).toEqual(['leasehold_dev']);
  await superuser.query('DROP DATABASE leasehold_dev');
});

test.each([
  ['that may not make roles', () => urlOf('weak', 'weak'), 'needs CREATEROLE and CREATEDB (42501)'],
  ['with a wrong password', () => urlOf('boss', 'canary'), 'refuses the user or the password of that URL (28P01)'],
  ['of a database that is not there', () => urlOf('boss', 'boss', 'nowhere'), 'has no database of the name'],
])('a URL of a user %s is told in one sentence, and leaves nothing', async (_, url, said) => {
  await expect(start(url())).rejects.toThrow(said);
  await expect(start(url())).rejects.not.toThrow('canary');
  expect(await ours()).toEqual([]);
});
