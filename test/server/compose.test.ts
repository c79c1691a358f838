import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { Client, escapeLiteral } from 'pg';
import { findPort } from '../../dev/ports';
import { unprivilegedAccount } from '../../dev/postgres-binaries';
import type { Account } from '../../dev/postgres-binaries';
import { startPostgresServer } from '../../dev/postgres-server';
import type { PostgresServer } from '../../dev/postgres-server';
import { projectRoot } from '../../dev/root';
import { checkSearchAttributes } from '../../temporal/search-attributes';
import { callApi } from '../support/api-call';
import { eventually } from '../support/base-lab';
import { composeFile, composeText, interpolate, readDotenv } from '../support/compose';
import type { ComposeService } from '../support/compose';
import { provided } from '../support/stack';

// No container engine is needed: what the containers run is run as processes, with the commands, the environment and the health
// checks of temporal-compose.yml, from the files that the image holds, as a user who can write to none of them.

const run = promisify(execFile);
const NAMESPACE = `compose-${randomUUID()}`;

let home: string;
let app: string;
let account: Account;
let postgres: PostgresServer;
let token: string;
let services: Readonly<Record<string, ComposeService>>;
let connection: Connection;
const started: ChildProcess[] = [];

/** Which port of this machine stands for one within the compose network, by service. */
const ports: Record<'worker' | 'api', Readonly<Record<string, number>>> = { worker: {}, api: {} };

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'leasehold-'));
  // For the user that runs what the containers run.
  await chmod(home, 0o755);
  app = join(home, 'app');
  const project = join(home, 'project');
  await mkdir(project);
  const logFile = join(home, 'postgres.log');
  const init = ['scripts/compose-init.mjs', '--directory', project];
  const [, made, server, metrics, apiMetrics, listening] = await Promise.all([
    run(process.execPath, ['test/support/service-folder.mjs', app], { cwd: projectRoot() }),
    run(process.execPath, init, { cwd: projectRoot() }),
    startPostgresServer({ logFile }),
    findPort(),
    findPort(),
    findPort(),
  ]);
  postgres = server;
  account = await unprivilegedAccount();
  ports.worker = { 9464: metrics };
  ports.api = { 9464: apiMetrics, 8400: listening };
  token = /LEASEHOLD_TOKEN=(\S+)/.exec(made.stdout)![1]!;
  const variables = readDotenv(await readFile(join(project, '.env'), 'utf8'));
  services = composeFile(interpolate(composeText(), variables)).services;
  await setUpDemo(variables['DEMO_POSTGRESQL_PASSWORD']!);
  await mkdir(join(home, 'bin'));
  await symlink(join(app, 'dist/cli/main.js'), join(home, 'bin/leasehold'));
  connection = await Connection.connect({ address: provided().temporal.address });
}, 60_000);

afterAll(async () => {
  for (const child of started) if (child.exitCode === null) child.kill('SIGKILL');
  await connection.close();
  await postgres.stop();
  await rm(home, { recursive: true, force: true });
});

/** What the container of the demo database does when it is made, and where the configuration finds it here. */
async function setUpDemo(password: string): Promise<void> {
  await ask('postgres', 'CREATE DATABASE demo');
  const sql = readFileSync(join(projectRoot(), 'deploy/compose/demo.sql'), 'utf8');
  expect(sql).toContain('\\getenv password DEMO_POSTGRESQL_PASSWORD\n');
  await ask('demo', sql.replace(/^\\getenv .*$/m, '').replace(":'password'", escapeLiteral(password)));
  const file = join(home, 'project/leasehold.yaml');
  const text = await readFile(file, 'utf8');
  const here = text
    .replace('host: demo-postgresql', `host: ${postgres.host}\n      port: ${postgres.port}`)
    .replace('public_port: 5433', `public_port: ${postgres.port}`);
  await writeFile(file, here);
}

async function ask(database: string, sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { host, port, user, password } = postgres;
  const client = new Client({ host, port, user, password, database });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const roles = async (name: string): Promise<number> =>
  (await ask('postgres', `SELECT 1 FROM pg_roles WHERE rolname = ${escapeLiteral(name)}`)).length;

/** What stands for a name or a port of the compose network here. */
function here(service: 'worker' | 'api', text: string): string {
  const replaced = text.replace('/etc/leasehold/leasehold.yaml', join(home, 'project/leasehold.yaml'));
  return Object.entries(ports[service]).reduce(
    (sofar, [inside, outside]) =>
      sofar.replaceAll(new RegExp(`(?:0\\.0\\.0\\.0|127\\.0\\.0\\.1):${inside}`, 'g'), `127.0.0.1:${outside}`),
    replaced,
  );
}

function environmentOf(service: ComposeService): Readonly<Record<string, string>> {
  expect(service.environment).toMatchObject({ TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_NAMESPACE: 'default' });
  return { ...service.environment, TEMPORAL_ADDRESS: provided().temporal.address, TEMPORAL_NAMESPACE: NAMESPACE };
}

/** As the container has it: its environment, its user, its files. */
function containerOf(service: 'worker' | 'api') {
  const own = Object.entries(environmentOf(services[service]!)).map(([name, value]) => [name, here(service, value)]);
  const image = { NODE_ENV: 'production', HOME: '/nonexistent' };
  const PATH = [join(home, 'bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter);
  return { cwd: app, env: { ...image, PATH, ...(Object.fromEntries(own) as Record<string, string>) }, ...account };
}

/** Starts what the image runs, or what the service runs instead. */
function start(service: 'worker' | 'api'): { readonly child: ChildProcess; readonly output: () => string } {
  const image = /^CMD (.+)$/m.exec(readFileSync(join(projectRoot(), 'Dockerfile'), 'utf8'))![1]!;
  const [command = '', ...args] = services[service]!.command ?? (JSON.parse(image) as string[]);
  const child = spawn(command, args, { ...containerOf(service), stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  return { child, output: () => output };
}

/** What the health check ends with. */
async function health(service: 'worker' | 'api'): Promise<number> {
  const [kind, command = '', ...args] = services[service]!.healthcheck!.test;
  expect(kind).toBe('CMD');
  try {
    await run(
      command,
      args.map((each) => here(service, each)),
      containerOf(service),
    );
    return 0;
  } catch (error) {
    return (error as { readonly code: number }).code;
  }
}

async function runJob(): Promise<{ readonly code: number; readonly said: string }> {
  const job = services['temporal-namespace']!;
  const [shell = '', ...flags] = job.entrypoint ?? [];
  const PATH = [dirname(provided().tools.temporal), process.env['PATH']].join(delimiter);
  const env = { PATH, HOME: '/nonexistent', ...environmentOf(job) };
  try {
    const { stdout, stderr } = await run(shell, [...flags, ...(job.command ?? [])], { cwd: home, env });
    return { code: 0, said: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, said: stdout + stderr };
  }
}

test('the job makes the namespace and its search attributes, and a second time nothing', async () => {
  expect(await runJob()).toMatchObject({ code: 0 });
  await checkSearchAttributes(connection, NAMESPACE);
  const { config } = await connection.workflowService.describeNamespace({ namespace: NAMESPACE });
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 86_400);
  const { code, said } = await runJob();
  expect({ code, made: /created|registered/i.test(said) }).toEqual({ code: 0, made: false });
}, 60_000);

let running: Readonly<Record<'worker' | 'api', ReturnType<typeof start>>>;

test('worker and API are unwell before they are started and well soon after, as the user of the image', async () => {
  for (const service of ['worker', 'api'] as const) expect(await health(service)).not.toBe(0);
  running = { worker: start('worker'), api: start('api') };
  for (const service of ['worker', 'api'] as const) {
    const { child, output } = running[service];
    const isWell = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`${service} ended at its start: ${output()}`);
      return (await health(service)) === 0;
    };
    await eventually(isWell, `${service} to be well`);
  }
});

test('neither can write to the files that it runs', async () => {
  const marks = ['dist/cli/main.js', 'package.json', 'node_modules'].map((path) => join(app, path));
  const tries = marks.map((path) => `test ! -w '${path}'`).join(' && ');
  if (account === null) return;
  await run('/bin/sh', ['-c', tries], { ...containerOf('worker') });
  const { uid } = account;
  for (const { child } of Object.values(running)) {
    expect(readFileSync(`/proc/${child.pid}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\\t${uid}\\t${uid}\\t`, 'm'));
  }
});

test('the token of compose:init leases a role of the demo database, which is gone when the lease has ended', async () => {
  const api = { url: `http://127.0.0.1:${ports.api[8400]}`, token };
  const body = { project: 'demo', config: 'dev', dynamic_secret: 'DATABASE', ttl: '1m' };
  const issued = await callApi('POST', '/v1/leases', { ...api, body });
  expect(issued).toMatchObject({
    status: 201,
    body: { credential: { URL: expect.any(String), USER: expect.any(String) } },
  });
  const { lease_id: leaseId, credential } = issued.body;
  expect(await roles(credential['USER']!)).toBe(1);

  const holder = new Client({ connectionString: credential['URL'] });
  holder.on('error', () => undefined);
  await holder.connect();
  const { rows } = await holder.query<{ role: string; orders: number }>(
    'SELECT current_user AS role, count(*)::int AS orders FROM orders',
  );
  expect(rows).toEqual([{ role: credential['USER'], orders: 3 }]);
  await expect(holder.query('DELETE FROM orders')).rejects.toMatchObject({ code: '42501' });

  const revoked = await callApi('POST', `/v1/leases/${leaseId}/revoke`, {
    ...api,
    body: { reason: 'done', wait: true },
  });
  expect(revoked).toMatchObject({ status: 200, body: { state: 'revoked' } });
  expect(await roles(credential['USER']!)).toBe(0);
  await holder.end().catch(() => undefined);
});

test('nobody gets in without it', async () => {
  const url = `http://127.0.0.1:${ports.api[8400]}`;
  expect(await callApi('GET', '/v1/leases', { url, token: null })).toMatchObject({ status: 401 });
  expect(await callApi('GET', '/v1/leases', { url, token: `${token}x` })).toMatchObject({ status: 401 });
});

test('asked to stop, the API says that it leaves, and both end well within the time that Compose gives them', async () => {
  const { worker, api } = running;
  const ended = Object.entries(running).map(async ([service, { child }]) => {
    const began = Date.now();
    await once(child, 'exit');
    const grace = /^(\d+)m$/.exec(services[service]!.stop_grace_period ?? '')![1]!;
    return { service, code: child.exitCode, isInTime: Date.now() - began < Number(grace) * 60_000 };
  });
  worker.child.kill('SIGTERM');
  api.child.kill('SIGTERM');
  await eventually(async () => (await health('api')) !== 0, 'the API to say that it leaves');
  expect(api.child.exitCode).toBeNull();
  expect(await Promise.all(ended)).toEqual([
    { service: 'worker', code: 0, isInTime: true },
    { service: 'api', code: 0, isInTime: true },
  ]);
  const said = worker.output() + api.output();
  expect(said).not.toContain(token);
});
