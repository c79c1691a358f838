import { once } from 'node:events';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Agent, get as httpGet } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { makeToken } from '../../api/identity/token';
import { startApiProcess } from '../support/api-process';
import type { ApiProcess } from '../support/api-process';
import { eventually, openLab, REQUEST } from '../support/lab';
import type { Lab } from '../support/lab';
import { startProgram } from '../support/program';
import { selfSigned } from '../support/self-signed';

const ci = makeToken('ci');
const admin = makeToken('admin');
const LEASE = { project: REQUEST.project, config: REQUEST.config, dynamic_secret: REQUEST.dynamicSecret, ttl: '10m' };

interface File {
  integrations: Record<string, Record<string, unknown>>;
  projects: { backend: { configs: { prd: { dynamic_secrets: Record<string, Record<string, unknown>> } } } };
  access: { tokens: Record<string, Record<string, unknown>> };
  api: Record<string, unknown>;
}

let lab: Lab;
let plain: string;
let apis: ApiProcess[];
let forwarder: Forwarder | undefined;

beforeEach(async () => {
  lab = await openLab();
  apis = [];
  plain = await readFile(lab.configFile, 'utf8');
  await configure(() => undefined);
}, 60_000);

afterEach(async () => {
  await Promise.all(apis.map((api) => api.stop()));
  forwarder?.close();
  forwarder = undefined;
  await lab.close();
}, 120_000);

/** Writes the lab's configuration, with what differs, as an editor does. */
async function configure(change: (file: File) => void, name = lab.configFile): Promise<void> {
  const file = {
    ...(JSON.parse(plain) as File),
    access: {
      tokens: {
        ci: { hash: ci.hash, scopes: ['backend/prd'] },
        admin: { hash: admin.hash, scopes: ['*'], rights: ['read', 'lease', 'revoke-own', 'admin'] },
      },
    },
    api: {},
  };
  change(file);
  await writeFile(`${name}.new`, JSON.stringify(file));
  await rename(`${name}.new`, name);
}

/** Only what it needs to reach Temporal: no variable that an integration refers to. */
async function startApi(
  flags: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<ApiProcess> {
  const temporal = { TEMPORAL_ADDRESS: lab.address, TEMPORAL_NAMESPACE: lab.namespace };
  const api = await startApiProcess(['--config', lab.configFile, ...flags], { ...temporal, ...environment });
  apis.push(api);
  return api;
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function ask(
  api: ApiProcess,
  path: string,
  body?: unknown,
  token = ci.token,
  signal: AbortSignal | null = null,
): Promise<Answer> {
  const answer = await fetch(api.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    signal,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

function revoke(api: ApiProcess, leaseId: unknown): Promise<Answer> {
  return ask(api, `/v1/leases/${String(leaseId)}/revoke`, { wait: true });
}

/** Id of the one lease that there is, once the index knows it. */
async function onlyLease(): Promise<string> {
  const ids: string[] = [];
  await eventually(async () => {
    ids.length = 0;
    for await (const { leaseId } of lab.leases.list()) ids.push(leaseId);
    return ids.length > 0;
  }, 'the index to know the lease');
  expect(ids).toHaveLength(1);
  return ids[0]!;
}

interface Forwarder {
  readonly address: string;
  open(): Promise<void>;
  close(): void;
}

/** A way to Temporal that is not there until it is opened. */
async function makeForwarder(): Promise<Forwarder> {
  const [host = '', port] = lab.address.split(':');
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          near.destroy();
          far.destroy();
        });
    }
    near.pipe(far).pipe(near);
  });
  const listen = async (at: number): Promise<number> => {
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const own = await listen(0);
  server.close();
  await once(server, 'close');
  return {
    address: `127.0.0.1:${own}`,
    open: async () => {
      await listen(own);
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe('the process', () => {
  test('knows no credential of a provider, and leases through a worker that does', async () => {
    const api = await startApi();
    await lab.startWorker();
    const issued = await ask(api, '/v1/leases', LEASE);
    expect(issued).toMatchObject({ status: 201, body: { credential: { ACCESS_KEY_ID: expect.stringMatching(/^A/) } } });
    expect(await revoke(api, issued.body['lease_id'])).toMatchObject({ status: 200, body: { state: 'revoked' } });
    expect(await api.stop()).toBe(0);
  }, 60_000);

  test('starts without Temporal, says so, and leases once it is there', async () => {
    forwarder = await makeForwarder();
    await lab.startWorker();
    const api = await startApi([], { TEMPORAL_ADDRESS: forwarder.address });
    expect((await ask(api, '/healthz')).status).toBe(200);
    expect(await ask(api, '/readyz')).toMatchObject({ status: 503, body: { ready: false, temporal: 'unreachable' } });
    expect(await ask(api, '/v1/leases', LEASE)).toMatchObject({ status: 502, body: { code: 'unavailable' } });
    await eventually(async () => api.output().includes('Leases have to wait for Temporal.'), 'the log to say so');
    await forwarder.open();
    await eventually(async () => (await ask(api, '/readyz')).status === 200, 'the API to be ready');
    const issued = await ask(api, '/v1/leases', LEASE);
    expect(issued.status).toBe(201);
    await revoke(api, issued.body['lease_id']);
  }, 90_000);

  test('names the search attributes that Temporal lacks, and leases nothing without them', async () => {
    const bare = `${lab.namespace}-bare`;
    const day = { seconds: 86_400 as never, nanos: 0 };
    await lab.client.workflowService.registerNamespace({ namespace: bare, workflowExecutionRetentionPeriod: day });
    const api = await startApi([], { TEMPORAL_NAMESPACE: bare });
    await eventually(
      async () => (await ask(api, '/readyz')).body['temporal'] === 'incomplete',
      'the attributes to be missed',
    );
    const { body } = await ask(api, '/readyz');
    expect(body['problems']).toEqual([expect.stringContaining('LeaseExpiresAt')]);
    await eventually(
      async () => api.output().includes('temporal operator search-attribute create'),
      'the log to say how to add them',
    );
    expect(await ask(api, '/v1/leases', LEASE)).toMatchObject({ status: 502, body: { code: 'unavailable' } });
  }, 60_000);

  test.each<[string, string[], Record<string, string>, RegExp, number]>([
    ['a missing file', ['--config', '/nowhere.yaml'], {}, /nowhere\.yaml.*does not exist/, 2],
    ['no address', ['--listen', 'everywhere'], {}, /everywhere.*host:port/, 2],
    ['an unknown flag', ['--surprise'], {}, /--surprise/, 2],
    ['an audit file that cannot be', [], { LEASEHOLD_AUDIT_FILE: '/proc/nothing' }, /\/proc\/nothing/, 2],
    ['an address of another machine', ['--listen', '192.0.2.1:8400'], {}, /192\.0\.2\.1:8400.*EADDRNOTAVAIL/, 1],
  ])(
    '%s is told in a sentence',
    async (_, flags, environment, said, code) => {
      const program = startProgram('api/main.js', ['--config', lab.configFile, '--listen', '127.0.0.1:0', ...flags], {
        environment: { TEMPORAL_ADDRESS: lab.address, TEMPORAL_NAMESPACE: lab.namespace, ...environment },
        directory: lab.directory,
      });
      const ended = await program.ended;
      expect(ended.stdout + ended.stderr).toMatch(said);
      expect(ended.stdout + ended.stderr).not.toMatch(/^ {4}at /m);
      expect(ended.code).toBe(code);
    },
    60_000,
  );

  test('warns when tokens would cross the network in the clear', async () => {
    const open = await startApi(['--listen', '0.0.0.0:0']);
    const here = await startApi();
    expect(open.output()).toContain('Without TLS');
    expect(here.output()).not.toContain('Without TLS');
  }, 60_000);

  test('serves its metrics to admins, and to everybody where it is told to', async () => {
    const api = await startApi([], { LEASEHOLD_METRICS: '127.0.0.1:0' });
    expect((await ask(api, '/metrics')).status).toBe(403);
    const own = await fetch(`${api.url}/metrics`, { headers: { authorization: `Bearer ${admin.token}` } });
    const counted = 'leasehold_http_requests_total{route="/metrics",method="GET",status="403"} 1';
    expect(await own.text()).toContain(counted);
    expect(await (await fetch(`${api.metricsUrl ?? ''}/metrics`)).text()).toContain(counted);
  }, 60_000);
});

describe('asked to stop', () => {
  /** Issues a lease whose provider waits to be let go. */
  async function issueSlowly(api: ApiProcess, signal?: AbortSignal) {
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    let isHeld = false;
    lab.proxy.setOnCall(async (operation, phase) => {
      if (operation !== 'CreateUser' || phase !== 'before') return;
      isHeld = true;
      await held;
    });
    const answer = ask(api, '/v1/leases', LEASE, ci.token, signal);
    await eventually(async () => isHeld, 'the provider to be asked');
    return { answer, letGo };
  }

  test('it answers what is under way, takes nothing new, and ends with exit code 0', async () => {
    await lab.startWorker();
    const api = await startApi();
    const { hostname, port } = new URL(api.url);
    const halfWay = connect(Number(port), hostname);
    halfWay.write('GET /v1/whoami HTTP/1.1\r\nhost: api\r\n');
    const { answer, letGo } = await issueSlowly(api);
    api.signal('SIGTERM');
    await eventually(async () => api.output().includes('The API stops'), 'it to stop');
    halfWay.write(`authorization: Bearer ${ci.token}\r\n\r\n`);
    const refused = await text(halfWay);
    expect(refused).toMatch(/^HTTP\/1.1 503 /);
    expect(refused).toMatch(/^connection: close/im);
    expect(refused).toContain('"code":"shutting_down"');
    await expect(ask(api, '/healthz')).rejects.toThrow();
    letGo();
    const issued = await answer;
    expect(issued.status).toBe(201);
    expect(await api.ended()).toBe(0);
    await lab.handle(String(issued.body['lease_id'])).signal('revoke');
    expect(await lab.outcome(String(issued.body['lease_id']))).toMatchObject({ state: 'revoked' });
  }, 90_000);

  test('it says so first, and goes on taking requests for a while', async () => {
    await lab.startWorker();
    const api = await startApi([], { LEASEHOLD_API_LEAVE: '3s' });
    const agent = new Agent({ keepAlive: true });
    const get = async (path: string) => {
      const request = httpGet(api.url + path, { agent, headers: { authorization: `Bearer ${ci.token}` } });
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      return { status: answer.statusCode, closes: answer.headers.connection === 'close', body: await text(answer) };
    };
    expect(await get('/healthz')).toEqual({ status: 200, closes: false, body: '{"ok":true}' });
    expect(await get('/readyz')).toMatchObject({ status: 200, closes: false });
    api.signal('SIGTERM');
    await eventually(async () => api.output().includes('The API is about to stop'), 'it to be about to stop');
    expect(await get('/healthz')).toEqual({ status: 503, closes: true, body: '{"ok":false}' });
    const { status, body } = await get('/readyz');
    expect(status).toBe(503);
    expect(JSON.parse(body)).toMatchObject({ ready: false, problems: ['This process is about to end.'] });
    // On connections that are there and on new ones.
    expect(await get('/v1/whoami')).toMatchObject({ status: 200, closes: true });
    const issued = await ask(api, '/v1/leases', LEASE);
    expect(issued.status).toBe(201);
    expect(await api.ended()).toBe(0);
    expect(await lab.leases.revoke(String(issued.body['lease_id']), { wait: true })).toMatchObject({
      state: 'revoked',
    });
  }, 60_000);

  test('twice, it ends at once also while it still takes requests', async () => {
    const api = await startApi([], { LEASEHOLD_API_LEAVE: '1m' });
    api.signal('SIGTERM');
    await eventually(async () => api.output().includes('The API is about to stop'), 'it to be about to stop');
    api.signal('SIGTERM');
    expect(await api.ended()).toBe(143);
  }, 30_000);

  test('from a terminal, it stops without that', async () => {
    const api = await startApi([], { LEASEHOLD_API_LEAVE: '1m' });
    api.signal('SIGINT');
    expect(await api.ended()).toBe(0);
  }, 30_000);

  test('it does not end before a lease is revoked whose asker has left', async () => {
    await lab.startWorker();
    const api = await startApi();
    const leaving = new AbortController();
    const { answer, letGo } = await issueSlowly(api, leaving.signal);
    const lost = expect(answer).rejects.toThrow();
    leaving.abort();
    await lost;
    const stopped = api.stop();
    letGo();
    expect(await stopped).toBe(0);
    expect(await lab.outcome(await onlyLease())).toMatchObject({ state: 'revoked' });
  }, 90_000);

  test('it does not wait for those who never send anything', async () => {
    const api = await startApi();
    const { hostname, port } = new URL(api.url);
    const silent = connect(Number(port), hostname);
    const halfWay = connect(Number(port), hostname);
    await Promise.all([once(silent, 'connect'), once(halfWay, 'connect')]);
    halfWay.write('GET /healthz HTTP/1.1\r\n');
    await ask(api, '/healthz');
    const closed = Promise.all([once(silent, 'close'), once(halfWay, 'close')]);
    for (const socket of [silent, halfWay]) socket.on('error', () => undefined).resume();
    expect(await api.stop()).toBe(0);
    await closed;
    expect(api.output()).not.toContain('cut off');
  }, 30_000);

  test('twice, it ends at once', async () => {
    await lab.startWorker();
    const api = await startApi();
    const { answer, letGo } = await issueSlowly(api);
    const lost = expect(answer).rejects.toThrow();
    api.signal('SIGINT');
    await eventually(async () => api.output().includes('The API stops'), 'it to stop');
    api.signal('SIGINT');
    await lost;
    await api.ended();
    expect(api.output()).not.toContain('The API has stopped.');
    letGo();
    // What it left is a lease that nobody has.
    await lab.leases.revoke(await onlyLease(), { wait: true });
  }, 60_000);
});

describe('the configuration', () => {
  test('that changed is in force without a restart: its tokens and what can be leased', async () => {
    await lab.startWorker();
    const api = await startApi();
    const fresh = makeToken('fresh');
    const names = async () =>
      ((await ask(api, '/v1/dynamic-secrets')).body['dynamic_secrets'] as { name: string }[]).map(({ name }) => name);
    expect((await ask(api, '/v1/whoami', undefined, fresh.token)).status).toBe(401);
    expect(await names()).toEqual(['S3_READER']);
    await configure(({ access, projects }) => {
      access.tokens['fresh'] = { hash: fresh.hash, scopes: ['backend/prd'] };
      const secrets = projects.backend.configs.prd.dynamic_secrets;
      secrets['OTHER'] = { ...secrets['S3_READER'] };
    });
    await eventually(async () => (await ask(api, '/v1/whoami', undefined, fresh.token)).status === 200, 'the token');
    expect(await names()).toEqual(['S3_READER', 'OTHER']);
    await configure(({ access }) => {
      delete access.tokens['admin'];
    });
    api.signal('SIGHUP');
    await eventually(
      async () => (await ask(api, '/v1/whoami', undefined, admin.token)).status === 401,
      'it to be gone',
    );
  }, 60_000);

  test('with a mistake is not, and the log says which', async () => {
    const api = await startApi();
    await writeFile(lab.configFile, 'version: 2\n');
    await eventually(async () => api.output().includes('was not taken over'), 'the log to say so');
    expect(api.output()).toMatch(/version.*must be 1/);
    expect((await ask(api, '/v1/whoami')).status).toBe(200);
  }, 60_000);

  test('that is another one than that of a worker is named, and so is work that nobody takes', async () => {
    const api = await startApi();
    const missing = async () => (await ask(api, '/readyz')).body['problems'];
    const hashes = async () =>
      ((await ask(api, '/readyz')).body['other_configs'] as { config: string }[]).map(({ config }) => config);
    await eventually(async () => Array.isArray(await missing()), 'Temporal to answer');
    expect(await ask(api, '/readyz')).toMatchObject({
      status: 503,
      body: {
        temporal: 'ok',
        problems: ['leasehold', 'aws/provision', 'aws/deprovision', 'aws/upkeep'].map(
          (name) => `No worker serves ${name}.`,
        ),
        other_configs: [],
      },
    });
    await lab.startWorker(['--workflows-only']);
    await eventually(async () => !String(await missing()).includes('leasehold.'), 'the workflows to be served');
    expect(String(await missing())).toContain('aws/provision');
    await lab.startWorker(['--integrations', 'aws']);
    await eventually(async () => (await ask(api, '/readyz')).status === 200, 'all to be served');
    expect(await hashes()).toEqual([]);

    // A worker of another file is told, and hinders nothing.
    const other = join(lab.directory, 'other.yaml');
    await configure((file) => (file.api = { requests_per_minute: 5 }), other);
    const worker = await lab.startWorker(['--config', other]);
    const { config } = JSON.parse(
      worker
        .output()
        .split('\n')
        .find((line) => line.includes('is ready'))!,
    ) as {
      config: string;
    };
    await eventually(async () => (await hashes()).includes(config), 'the other configuration to be named');
    expect(await ask(api, '/readyz')).toMatchObject({
      status: 200,
      body: { other_configs: [{ process: expect.stringContaining(`leasehold-worker/${worker.pid}@`), config }] },
    });
  }, 90_000);
});

describe('TLS', () => {
  const files = () => ({
    certificate: join(lab.directory, 'tls.crt'),
    key: join(lab.directory, 'tls.key'),
  });

  async function write({ cert, key }: ReturnType<typeof selfSigned>): Promise<void> {
    await writeFile(files().certificate, cert);
    await writeFile(files().key, key);
  }

  async function status(api: ApiProcess, ca: string): Promise<number | undefined> {
    const request = httpsGet(`${api.url}/healthz`, { ca, agent: false });
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    await text(answer);
    return answer.statusCode;
  }

  test('is spoken with the certificate of the files, and with a renewed one without a restart', async () => {
    const [first, second] = [selfSigned('first'), selfSigned('second')];
    await write(first);
    await configure((file) => (file.api = { tls: files() }));
    const api = await startApi();
    expect(api.url).toMatch(/^https:/);
    expect(await status(api, first.cert)).toBe(200);
    await expect(status(api, second.cert)).rejects.toThrow();
    await write(second);
    await eventually(
      async () => (await status(api, second.cert).catch(() => undefined)) === 200,
      'the renewed certificate',
    );
    // Renewed by half: the one before stays.
    await writeFile(files().certificate, first.cert);
    await eventually(async () => api.output().includes('cannot be used together'), 'the log to say so');
    expect(await status(api, second.cert)).toBe(200);
  }, 60_000);

  test.each<[string, () => Promise<void>, RegExp]>([
    ['that are not there', async () => rm(files().key), /api\.tls\.key.*tls\.key does not exist/],
    ['that do not belong together', async () => writeFile(files().key, selfSigned().key), /api\.tls.*cannot be used/],
    ['that are no certificate', async () => writeFile(files().certificate, 'CANARY'), /api\.tls.*cannot be used/],
  ])(
    'files %s are told in a sentence',
    async (_, spoil, said) => {
      await write(selfSigned());
      await configure((file) => (file.api = { tls: files() }));
      await spoil();
      const program = startProgram('api/main.js', ['--config', lab.configFile, '--listen', '127.0.0.1:0'], {
        environment: { TEMPORAL_ADDRESS: lab.address, TEMPORAL_NAMESPACE: lab.namespace },
        directory: lab.directory,
      });
      const { code, stdout, stderr } = await program.ended;
      expect(stdout + stderr).toMatch(said);
      expect(stdout + stderr).not.toMatch(/CANARY|PRIVATE/);
      expect(code).toBe(2);
    },
    60_000,
  );

  test('cannot be added to or taken from an open port, which is told', async () => {
    await write(selfSigned());
    const api = await startApi();
    await configure((file) => (file.api = { tls: files() }));
    await eventually(async () => api.output().includes('needs a restart'), 'the log to say so');
    expect((await ask(api, '/healthz')).status).toBe(200);
  }, 60_000);
});
