import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { AuditLine } from '../../audit/writer';
import { eventually, openLab, REQUEST } from '../support/lab';
import type { Lab } from '../support/lab';
import { startProgram } from '../support/program';
import type { WorkerProcess } from '../support/worker-process';

const ANY_PORT = '127.0.0.1:0';

let lab: Lab;
let auditFile: string;

beforeEach(async () => {
  // Its line in the audit log would be one more where a busy machine takes long for a removal.
  lab = await openLab({ timings: { stuck_after: '1m' } });
  auditFile = join(lab.directory, 'audit.jsonl');
}, 60_000);

afterEach(() => lab.close());

/** Where the worker said that it serves its metrics. */
function metricsUrl(worker: WorkerProcess): string {
  return /"metrics":"(http:[^"]+)"/.exec(worker.output())![1]!;
}

/** The number behind a name and its labels, in whatever order they stand; undefined: there is none. */
function valueOf(page: string, name: string, labels: Readonly<Record<string, string>>): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const line = page
    .split('\n')
    .find((each) => each.startsWith(`leasehold_${name}{`) && wanted.every((label) => each.includes(label)));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

async function auditLines(): Promise<AuditLine[]> {
  const text = await readFile(auditFile, 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditLine);
}

function eventsOf(lines: readonly AuditLine[], leaseId: string): string[] {
  return [...new Map(lines.filter((line) => line.leaseId === leaseId).map(({ id, event }) => [id, event])).values()];
}

test('a worker tells Prometheus and the audit file what became of its leases', async () => {
  const worker = await lab.startWorker([], { LEASEHOLD_METRICS: ANY_PORT, LEASEHOLD_AUDIT_FILE: auditFile });
  const kept = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
  await kept.extend('20m');
  const ended = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
  const denied = await lab.leases.issue({ ...REQUEST, ttl: '13h' }).catch((error: unknown) => error);
  expect(denied).toMatchObject({ code: 'InvalidTtl' });
  lab.proxy.fault({ operation: 'DeleteUser', kind: '500-before' });
  await ended.revoke({ by: 'ada', reason: 'no longer needed', wait: true });

  // Asked for once and remembered for a while: not before the index knows the lease.
  const active = `LeaseState = "active" AND CloseTime IS NULL`;
  await eventually(async () => (await lab.client.workflow.count(active)).count === 1, 'the index to know the lease');
  const url = metricsUrl(worker);
  const answer = await fetch(`${url}/metrics`);
  expect(answer.headers.get('content-type')).toContain('text/plain');
  const page = await answer.text();
  const aws = { integration: 'aws' };
  expect(valueOf(page, 'leases_issued_total', aws)).toBe(2);
  expect(valueOf(page, 'leases_ended_total', { ...aws, state: 'revoked' })).toBe(1);
  expect(valueOf(page, 'leases_refused_total', { type: 'InvalidTtl' })).toBe(1);
  expect(valueOf(page, 'leases', { ...aws, state: 'active' })).toBe(1);
  expect(valueOf(page, 'leases', { ...aws, state: 'overdue' })).toBe(0);
  expect(valueOf(page, 'provider_errors_total', { ...aws, verb: 'deprovision', type: 'Unavailable' })).toBe(1);
  expect(valueOf(page, 'removal_lag_seconds_count', aws)).toBe(1);
  expect(page).toContain('leasehold_process_cpu_seconds_total');
  const health = await fetch(`${url}/healthz`);
  expect([health.status, await health.text()]).toEqual([200, 'ok']);
  expect((await fetch(`${url}/`)).status).toBe(404);

  const lines = await auditLines();
  expect(eventsOf(lines, kept.leaseId)).toEqual(['issued', 'extended']);
  expect(eventsOf(lines, ended.leaseId)).toEqual(['issued', 'revoked']);
  expect(eventsOf(lines, (denied as { leaseId: string }).leaseId)).toEqual(['denied']);
  expect(lines.find(({ leaseId, event }) => leaseId === ended.leaseId && event === 'revoked')).toMatchObject({
    kind: 'audit',
    holder: 'library:tester',
    integration: 'aws',
    entity: expect.stringContaining(ended.leaseId),
    by: 'library:ada',
    reason: 'no longer needed',
  });
  expect((await stat(auditFile)).mode & 0o777).toBe(0o600);
  // The lines are in their file and not in the log as well.
  expect(worker.output()).not.toContain('"kind":"audit"');
  await kept.revoke({ wait: true });
}, 60_000);

test('two workers share one audit file, and every line of it is whole', async () => {
  const environment = { LEASEHOLD_AUDIT_FILE: auditFile };
  const workers = await Promise.all([lab.startWorker([], environment), lab.startWorker([], environment)]);
  const ids = await Promise.all(
    Array.from({ length: 24 }, async () => {
      const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
      await lease.revoke({ reason: 'ü'.repeat(900), wait: true });
      return lease.leaseId;
    }),
  );
  const lines = await auditLines();
  for (const id of ids) expect(eventsOf(lines, id)).toEqual(['issued', 'revoked']);
  expect(await Promise.all(workers.map((worker) => worker.stop()))).toEqual([0, 0]);
}, 90_000);

test('without a file the audit lines stand among those of the log, each a line of JSON', async () => {
  const worker = await lab.startWorker([], { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' });
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
  await lease.revoke({ wait: true });
  expect(await worker.stop()).toBe(0);
  const lines = worker.output().trimEnd().split('\n');
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const audit = parsed.filter(({ kind }) => kind === 'audit') as unknown as AuditLine[];
  expect(eventsOf(audit, lease.leaseId)).toEqual(['issued', 'revoked']);
  expect(parsed.filter(({ kind }) => kind !== 'audit').length).toBeGreaterThan(0);
}, 60_000);

test('a worker that is asked to stop ends with exit code 0, even while a scraper keeps its connection open', async () => {
  const worker = await lab.startWorker([], { LEASEHOLD_METRICS: ANY_PORT, LEASEHOLD_AUDIT_FILE: auditFile });
  const { hostname, port } = new URL(metricsUrl(worker));
  const idle = connect(Number(port), hostname);
  const halfWay = connect(Number(port), hostname);
  await Promise.all([once(idle, 'connect'), once(halfWay, 'connect')]);
  for (const socket of [idle, halfWay]) socket.on('error', () => undefined);
  idle.write('GET /healthz HTTP/1.1\r\nhost: worker\r\nconnection: keep-alive\r\n\r\n');
  await once(idle, 'data');
  halfWay.write('GET /metrics HTTP/1.1\r\n');
  expect(await worker.stop()).toBe(0);
  idle.destroy();
  halfWay.destroy();
}, 60_000);

describe('a worker that cannot do what it is told to', () => {
  async function startInVain(environment: Readonly<Record<string, string>>) {
    const program = startProgram('worker/main.js', ['--config', lab.configFile], {
      environment: { ...lab.environment, ...environment },
      directory: lab.directory,
    });
    const { code, stdout, stderr } = await program.ended;
    expect(stdout + stderr).not.toMatch(/^ {4}at /m);
    // One line of JSON, and no schedule or anything else has been set up by then.
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toBe('');
    for await (const { scheduleId } of lab.client.schedule.list()) throw new Error(`there is ${scheduleId}`);
    const { error } = JSON.parse(stdout) as { error: { type: string; message: string } };
    return { code, said: error.message };
  }

  test('says which audit file cannot be written, and why, with exit code 2', async () => {
    const missing = join(lab.directory, 'not-there', 'audit.jsonl');
    expect(await startInVain({ LEASEHOLD_AUDIT_FILE: missing })).toEqual({
      code: 2,
      said: expect.stringMatching(/audit file .*not-there.*directory does not exist.*LEASEHOLD_AUDIT_FILE/),
    });
    await writeFile(join(lab.directory, 'file'), '');
    expect(await startInVain({ LEASEHOLD_AUDIT_FILE: join(lab.directory, 'file', 'audit') })).toMatchObject({
      code: 2,
    });
    expect(await startInVain({ LEASEHOLD_AUDIT_FILE: 'audit.jsonl' })).toEqual({
      code: 2,
      said: expect.stringMatching(/LEASEHOLD_AUDIT_FILE.*absolute path/),
    });
  }, 60_000);

  test('says that its metrics address is taken, with exit code 1, or is none, with exit code 2', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const taken = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    expect(await startInVain({ LEASEHOLD_METRICS: taken, LEASEHOLD_AUDIT_FILE: auditFile })).toEqual({
      code: 1,
      said: expect.stringMatching(
        `Metrics cannot be served at ${taken} .*something else listens there.*LEASEHOLD_METRICS`,
      ),
    });
    other.close();
    expect(await startInVain({ LEASEHOLD_METRICS: 'everywhere' })).toEqual({
      code: 2,
      said: expect.stringMatching(/LEASEHOLD_METRICS.*everywhere/),
    });
  }, 60_000);
});
