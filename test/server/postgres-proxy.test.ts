import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import type { DatabaseError } from 'pg';
import { startPostgresServer } from '../../dev/postgres-server';
import type { PostgresServer } from '../../dev/postgres-server';
import { eventually, pause } from '../support/base-lab';
import type { CallPhase } from '../support/fault-proxy';
import type { FaultKind } from '../support/faults';
import { startPostgresProxy } from '../support/postgres-proxy';
import type { PostgresProxy } from '../support/postgres-proxy';
import { provided } from '../support/stack';

const ECHO = 'CANARY';
/** Less than that is no hanging, and more would be waiting. */
const HANGS_MS = 300;

let server: PostgresServer;
let proxy: PostgresProxy;
let direct: Client;
let client: Client;

async function open(port: number): Promise<Client> {
  const { host, user, password } = server;
  const opened = new Client({ host, port, user, password, database: 'postgres', query_timeout: 5_000 });
  opened.on('error', () => undefined);
  await opened.connect();
  return opened;
}

beforeAll(async () => {
  const logFile = join(provided().directory, `postgres-${randomUUID()}.log`);
  server = await startPostgresServer({ logFile });
  proxy = await startPostgresProxy({ target: server, echo: ECHO });
  direct = await open(server.port);
  await direct.query('CREATE TABLE notes (text text)');
}, 60_000);

afterAll(async () => {
  await direct.end();
  await proxy.close();
  await server.stop();
});

beforeEach(async () => {
  await direct.query('TRUNCATE notes');
  client = await open(proxy.port);
});

afterEach(async () => {
  proxy.clearFaults();
  proxy.setOnCall(undefined);
  proxy.setAway(false);
  proxy.forget();
  await client.end().catch(() => undefined);
});

const note = (text: string, entity = 'lease-1'): string =>
  `/* leasehold AddNote ${entity} */ INSERT INTO notes VALUES ('${text}') RETURNING text`;

async function notes(): Promise<string[]> {
  const { rows } = await direct.query<{ text: string }>('SELECT text FROM notes ORDER BY text');
  return rows.map(({ text }) => text);
}

async function failure(asked: Promise<unknown>): Promise<DatabaseError> {
  return asked.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as DatabaseError,
  );
}

/** Whether there is no answer for a while. */
async function hangs(asked: Promise<unknown>): Promise<boolean> {
  const answered = asked.then(
    () => false,
    () => false,
  );
  return Promise.race([answered, pause(HANGS_MS).then(() => true)]);
}

describe('a query through the proxy', () => {
  test('is answered by the server and counted, with operation and entity as its comment says', async () => {
    await expect(client.query(note('one'))).resolves.toMatchObject({ rows: [{ text: 'one' }] });
    await client.query('/* leasehold ListNotes */ SELECT 1; SELECT 2');
    await client.query('SELECT 3');
    expect(proxy.calls).toMatchObject([
      { operation: 'AddNote', entity: 'lease-1', sent: note('one'), fault: null, error: null },
      { operation: 'ListNotes', entity: null },
      { operation: 'unnamed', entity: null },
    ]);
  });

  test('may have an answer of many pieces', async () => {
    const { rows } = await client.query(`SELECT repeat('x', 1000) AS text FROM generate_series(1, 5000)`);
    expect(rows).toHaveLength(5_000);
  });

  test('that the server refuses says so, and repeats the canary wherever servers repeat what they were sent', async () => {
    const error = await failure(client.query('/* leasehold ReadNothing */ SELECT * FROM nothing'));
    expect(error).toMatchObject({ code: '42P01', hint: ECHO, detail: ECHO });
    expect(error.message).toMatch(new RegExp(`"nothing" does not exist ${ECHO}$`));
    expect(proxy.calls).toMatchObject([{ error: '42P01' }]);
  });

  test('is told of at each of its phases, and waits', async () => {
    const phases: [CallPhase, string[]][] = [];
    proxy.setOnCall(async (_, phase) => {
      phases.push([phase, await notes()]);
    });
    await client.query(note('one'));
    expect(phases).toEqual([
      ['before', []],
      ['after', ['one']],
      ['body', ['one']],
    ]);
  });
});

describe('a connection through the proxy', () => {
  test('is refused with the server’s own words and the canary', async () => {
    const { host, user } = server;
    const stranger = new Client({ host, port: proxy.port, user, password: 'wrong', database: 'postgres' });
    const error = await failure(stranger.connect());
    expect(error).toMatchObject({ code: '28P01' });
    expect(error.message).toContain(ECHO);
  });

  test('learns that the server ended it', async () => {
    const lost = new Promise<DatabaseError>((resolve) => client.once('error', resolve));
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await direct.query(`SELECT pg_terminate_backend(${rows[0]!.pid})`);
    await expect(lost).resolves.toMatchObject({ code: '57P01' });
  });

  test('frees its session at the server when the client leaves, even one that waits for an answer', async () => {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    proxy.fault({ operation: 'AddNote', kind: 'hang' });
    const asked = failure(client.query(note('one')));
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    await asked;
    const sessions = `SELECT 1 FROM pg_stat_activity WHERE pid = ${rows[0]!.pid}`;
    await eventually(async () => (await direct.query(sessions)).rowCount === 0, 'the session to end');
  });

  test('is cut while the server is away, and so is every new one', async () => {
    const lost = new Promise<Error>((resolve) => client.once('error', resolve));
    proxy.setAway(true);
    await lost;
    await failure(open(proxy.port));
    proxy.setAway(false);
    client = await open(proxy.port);
    await client.query(note('back'));
    expect(await notes()).toEqual(['back']);
  });
});

describe('a fault', () => {
  test.each<[FaultKind, string]>([
    ['500-before', 'XX000'],
    ['throttle', '53300'],
    ['not-found', '42704'],
  ])('%s is an error of a server that was never asked', async (kind, code) => {
    proxy.fault({ operation: 'AddNote', kind });
    expect(await failure(client.query(note('one')))).toMatchObject({ code, hint: ECHO });
    expect(await notes()).toEqual([]);
    await client.query(note('two'));
    expect(await notes()).toEqual(['two']);
    expect(proxy.calls).toMatchObject([
      { fault: kind, error: code },
      { fault: null, error: null },
    ]);
  });

  test('error has the SQLSTATE that it is given', async () => {
    proxy.fault({ operation: 'AddNote', kind: 'error', code: '42501' });
    expect(await failure(client.query(note('one')))).toMatchObject({ code: '42501' });
    expect(await notes()).toEqual([]);
  });

  test('500-after is an error of a server that has done it', async () => {
    proxy.fault({ operation: 'AddNote', kind: '500-after' });
    expect(await failure(client.query(note('one')))).toMatchObject({ code: 'XX000' });
    expect(await notes()).toEqual(['one']);
    await expect(client.query('SELECT 1')).resolves.toMatchObject({ rowCount: 1 });
  });

  test('lost-answer cuts the connection when the server has done it', async () => {
    proxy.fault({ operation: 'AddNote', kind: 'lost-answer' });
    expect((await failure(client.query(note('one')))).code).not.toBe('XX000');
    expect(await notes()).toEqual(['one']);
  });

  test('html-503 is an answer that cannot be read, when the server has done it', async () => {
    proxy.fault({ operation: 'AddNote', kind: 'html-503' });
    expect((await failure(client.query(note('one')))).message).toContain('invalid response');
    expect(await notes()).toEqual(['one']);
  });

  test.each<[FaultKind, string[]]>([
    ['hang', []],
    ['hang-after', ['one']],
    ['hang-body', ['one']],
  ])('%s gives no whole answer, and the server holds %j', async (kind, held) => {
    proxy.fault({ operation: 'AddNote', kind });
    expect(await hangs(client.query(note('one')))).toBe(true);
    expect(await notes()).toEqual(held);
  });

  test('hits only the entity, the operation and the turn that it is meant for', async () => {
    proxy.fault({ operation: 'AddNote', kind: 'throttle', nth: 2, entity: 'lease-2' });
    await client.query(note('one', 'lease-1'));
    await client.query(note('two', 'lease-2'));
    await client.query('/* leasehold FindNote lease-2 */ SELECT 1');
    expect(await failure(client.query(note('three', 'lease-2')))).toMatchObject({ code: '53300' });
    expect(await notes()).toEqual(['one', 'two']);
  });

  test.each<FaultKind>(['500-before', '500-after'])(
    '%s in a transaction fails the transaction, at the server too',
    async (kind) => {
      await client.query('BEGIN');
      await client.query(note('one'));
      proxy.fault({ operation: 'AddNote', kind });
      expect(await failure(client.query(note('two')))).toMatchObject({ code: 'XX000' });
      expect(await failure(client.query(note('three')))).toMatchObject({ code: '25P02' });
      await client.query('COMMIT');
      expect(await notes()).toEqual([]);
    },
  );
});

test('a client that speaks the extended protocol is refused, and closing the proxy tells', async () => {
  const strict = await startPostgresProxy({ target: server });
  const careless = await open(strict.port);
  expect(await failure(careless.query('SELECT $1::text', ['x']))).toMatchObject({ code: '08P01' });
  await careless.end().catch(() => undefined);
  await expect(strict.close()).rejects.toThrow('messages P');
});
