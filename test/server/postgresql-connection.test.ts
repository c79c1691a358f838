import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { connect } from 'node:net';
import { escapeIdentifier, escapeLiteral } from 'pg';
import { scramVerifier } from '../../activities/integrations/postgresql/scram';
import { createFakeFence } from '../support/fake-fence';
import { connectWith, openPostgresSetting, ORCHESTRATOR, QUICK } from '../support/postgres-setting';
import type { PostgresSetting } from '../support/postgres-setting';
import { selfSigned } from '../support/self-signed';

jest.setTimeout(30_000);

let setting: PostgresSetting;

beforeAll(async () => {
  setting = await openPostgresSetting();
});

afterAll(() => setting.close());

const signal = (): AbortSignal => new AbortController().signal;

/** Ends every session of the orchestrator. */
async function dropConnections(): Promise<number> {
  const rows = await setting.ask(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ${escapeLiteral(ORCHESTRATOR)}`,
  );
  return rows.length;
}

test('connections that the server drops are opened again, and nothing crashes', async () => {
  const fixture = setting.open({ pool_size: 3 });
  const leases = Array.from({ length: 6 }, () => fixture.lease());
  await Promise.all(leases.map((lease) => lease.provision()));

  expect(await dropConnections()).toBeGreaterThanOrEqual(3);

  for (const lease of leases) expect(await lease.deprovision()).toEqual({ result: 'removed' });
});

test('a connection that is dropped in the middle of a statement ends the attempt as unavailable', async () => {
  const lease = setting.open({ pool_size: 1 }).lease();
  const fence = createFakeFence(async () => {
    await dropConnections();
  });
  await expect(lease.provision({ fence })).rejects.toMatchObject({ type: 'Unavailable' });

  await lease.provision();
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
});

test('a server that crashes and comes back is used again', async () => {
  const fixture = setting.open();
  const lease = fixture.lease();
  await lease.provision();
  const [victim] = await setting.ask<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE usename = ${escapeLiteral(ORCHESTRATOR)} LIMIT 1`,
  );
  const watcher = await setting.admin();
  const ended = new Promise((resolve) => watcher.once('end', resolve));
  // The postmaster then ends all sessions and recovers, as soon as it has noticed.
  process.kill(victim!.pid, 'SIGKILL');
  await ended;

  for (;;) {
    try {
      await lease.deprovision();
      break;
    } catch (error) {
      expect(error).toMatchObject({ type: 'Unavailable' });
    }
  }
  expect(await setting.ask(`SELECT 1 FROM pg_roles WHERE rolname = '${lease.role}'`)).toEqual([]);
});

test('a rotated password is in force with the next connection, and a wrong one is in no error', async () => {
  let current = setting.password;
  const { integration } = setting.open({}, { password: () => current });
  await integration.check(signal());
  const next = randomBytes(18).toString('base64url');
  const wrong = `${next}-wrong`;
  await setting.ask(
    `ALTER ROLE ${escapeIdentifier(ORCHESTRATOR)} PASSWORD ${escapeLiteral(await scramVerifier(next))}`,
  );
  await dropConnections();

  current = wrong;
  const refused = await integration.check(signal()).then(
    () => null,
    (error: unknown) => error as Error,
  );
  expect(refused).toMatchObject({ type: 'Refused', facts: { code: '28P01' } });
  expect(JSON.stringify([refused!.message, refused!.stack, refused])).not.toContain(wrong);

  current = next;
  expect(await integration.check(signal())).toMatchObject({ missingRights: [] });
  await setting.ask(
    `ALTER ROLE ${escapeIdentifier(ORCHESTRATOR)} PASSWORD ${escapeLiteral(await scramVerifier(setting.password))}`,
  );
});

test('a reference that leads nowhere is named', async () => {
  const { integration } = setting.open(
    {},
    {
      password: () => {
        throw new Error('no such variable');
      },
    },
  );
  await expect(integration.check(signal())).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringContaining('env:ORCHESTRATOR_PASSWORD'),
  });
});

test('nobody at the address, an unknown database and a server without TLS are told apart', async () => {
  const check = (settings: object) => setting.open(settings).integration.check(signal());
  await expect(check({ port: 1 })).rejects.toMatchObject({ type: 'Unavailable', facts: { code: 'ECONNREFUSED' } });
  await expect(check({ database: 'no such' })).rejects.toMatchObject({
    type: 'InvalidInput',
    facts: { code: '3D000' },
  });
  await expect(check({ tls: { mode: 'require' } })).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringContaining('does not offer TLS'),
  });
});

test('a server that says nothing is given up, and so is one that stops answering', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as AddressInfo;
  const pace = { ...QUICK, connectMs: 200, readMs: 200, statementMs: 500, graceMs: 100 };
  const fixture = setting.open({ port }, { pace });
  await expect(fixture.integration.check(signal())).rejects.toMatchObject({ type: 'Unavailable' });
  silent.close();

  const lease = setting.open({ pool_size: 1 }, { pace }).lease();
  await lease.provision();
  const blocker = await setting.admin();
  await blocker.query(`BEGIN; ALTER ROLE "${lease.role}" CONNECTION LIMIT 7`);
  const fence = createFakeFence();
  await expect(lease.deprovision({ fence })).rejects.toMatchObject({ type: 'Unavailable' });
  await blocker.query('ROLLBACK');
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
});

test('whoever waits for a connection stops waiting when the attempt is over', async () => {
  const fixture = setting.open({ pool_size: 1 });
  const first = fixture.lease();
  await first.provision();
  const fence = createFakeFence();
  let second: Promise<unknown> | undefined;
  const stop = new Error('over');
  // While the first holds the one connection.
  const holding = createFakeFence(async (_, nth) => {
    if (nth > 1) return;
    second = fixture.lease().provision({ fence });
    second.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    fence.abort(stop);
  });

  await first.deprovision({ fence: holding });
  await expect(second).rejects.toBe(stop);
  expect(fence.passed).toEqual([]);
});

describe('with TLS', () => {
  const { cert, key } = selfSigned();
  let port: number;
  let directory: string;
  let proxy: ReturnType<typeof createServer>;

  /** Answers PostgreSQL's request for TLS with a certificate of its own and passes everything on. */
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'leasehold-tls-'));
    await writeFile(join(directory, 'ca.pem'), cert);
    await writeFile(join(directory, 'other.pem'), selfSigned().cert);
    proxy = createServer((plain: Socket) => {
      plain.on('error', () => undefined);
      plain.once('data', () => {
        plain.write('S');
        const secure = new TLSSocket(plain, { isServer: true, cert, key });
        const upstream = connect(setting.server.port, setting.server.host);
        for (const socket of [secure, upstream]) socket.on('error', () => undefined);
        secure.pipe(upstream).pipe(secure);
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => proxy.once('listening', resolve));
    ({ port } = proxy.address() as AddressInfo);
  });

  afterAll(async () => {
    proxy.close();
    await rm(directory, { recursive: true });
  });

  const check = (tls: object, host = '127.0.0.1') => setting.open({ host, port, tls }).integration.check(signal());

  test.each([
    ['require', {}],
    ['verify-ca', { ca_file: 'ca.pem' }],
    ['verify-full', { ca_file: 'ca.pem' }],
    ['verify-full', { ca_file: 'ca.pem', server_name: 'localhost' }],
  ])('%s with %p lets the server in', async (mode, files) => {
    const tls = { mode, ...files, ...('ca_file' in files ? { ca_file: join(directory, files.ca_file) } : {}) };
    expect(await check(tls)).toMatchObject({ missingRights: [] });
  });

  test.each([
    ['verify-full', {}],
    ['verify-ca', { ca_file: 'other.pem' }],
    ['verify-full', { ca_file: 'ca.pem', server_name: 'db.example.org' }],
  ])('%s with %p refuses it and says where to look', async (mode, files) => {
    const tls = { mode, ...files, ...('ca_file' in files ? { ca_file: join(directory, files.ca_file) } : {}) };
    await expect(check(tls)).rejects.toMatchObject({
      type: 'Unavailable',
      message: expect.stringContaining('see tls of the integration'),
    });
  });

  test('a file that is not there is named', async () => {
    await expect(check({ mode: 'verify-full', ca_file: '/no/such.pem' })).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining('/no/such.pem'),
    });
  });
});

test('a holder is told where the server is to be reached, which need not be where the orchestrator reaches it', async () => {
  const fixture = setting.open({ public_host: '::1', public_port: 6000, public_sslmode: 'require' });
  const lease = fixture.lease();
  const { credential } = await lease.provision();
  const url = new URL(credential['URL']!);
  expect([url.hostname, url.port, url.searchParams.get('sslmode')]).toEqual(['[::1]', '6000', 'require']);
  expect(credential).toMatchObject({ HOST: '::1', PORT: '6000' });
  await expect(
    connectWith({
      credential: {
        ...credential,
        URL: credential['URL']!.replace('[::1]:6000', `${setting.server.host}:${setting.server.port}`),
      },
    }).then((client) => client.end()),
  ).resolves.toBeUndefined();
  await lease.deprovision();
});
