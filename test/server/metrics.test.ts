import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { integrationTypes } from '../../activities/integrations/registry';
import { makeToken } from '../../api/identity/token';
import { loadConfig } from '../../config/load';
import { surveyQueues } from '../../temporal/pollers';
import { countLeases } from '../../worker/census';
import { callApi } from '../support/api-call';
import type { ApiAnswer } from '../support/api-call';
import { startApiProcess } from '../support/api-process';
import type { ApiProcess } from '../support/api-process';
import { eventually, openLab, REQUEST } from '../support/lab';
import type { Lab } from '../support/lab';
import { provided } from '../support/stack';
import { metricsOn, toldMetrics } from '../support/told-metrics';
import type { WorkerProcess } from '../support/worker-process';

const { token, hash } = makeToken('ci');
const SERVED = { LEASEHOLD_METRICS: '127.0.0.1:0' };
const AWS = { integration: 'aws' };

let lab: Lab;
let api: ApiProcess;
let isStarted = false;
let worker: WorkerProcess;
/** What the API tells before there is a worker, and what both tell once everything has happened. */
let before: string;
let ofApi: string;
let ofWorker: string;
/** What must stand on no page. */
const unwanted: string[] = [];

beforeAll(async () => {
  const access = { tokens: { ci: { hash, scopes: ['backend/prd'] } } };
  lab = await openLab({ file: { access }, timings: { stuck_after: '1m', heartbeat_timeout: '15s' } });
  lab.proxy.setAccount({ users: 10, usersQuota: 5_000 });
  api = await startApiProcess(['--config', lab.configFile], { ...lab.environment, ...SERVED });
  before = await scrape(api.metricsUrl!);
  worker = await lab.startWorker([], SERVED);

  // One that expires, two of which the provider is in the way of, one that is refused.
  const expiring = await issue('1s');
  lab.proxy.fault({ operation: 'CreateUser', kind: '500-before' });
  const hindered = await issue('10m');
  lab.proxy.fault({ operation: 'DeleteUser', kind: 'throttle' });
  await lab.leases.revoke(hindered.body.lease_id, { wait: true });
  const kept = await issue('5m');
  expect([expiring.status, hindered.status, kept.status]).toEqual([201, 201, 201]);
  expect((await issue('13h')).status).toBe(400);
  expect(await lab.outcome(expiring.body.lease_id)).toMatchObject({ state: 'expired' });
  // And a workflow that no worker can run.
  await lab.client.workflow.start('nobodys', { workflowId: 'nobodys', taskQueue: 'leasehold' });
  isStarted = true;
  const active = `LeaseState = "active" AND CloseTime IS NULL`;
  const live = `WorkflowType = "lease" AND CloseTime IS NULL`;
  await eventually(async () => (await lab.client.workflow.count(active)).count === 1, 'the index to know the lease');
  await eventually(async () => (await lab.client.workflow.count(live)).count === 1, 'the index to know no other');
  await eventually(
    async () => valueOf(await scrape(metricsUrl()), 'temporal_workflow_task_execution_failed', {}) !== 0,
    'the task that fails',
  );
  ofWorker = await scrape(metricsUrl());
  ofApi = await scrape(api.metricsUrl!);
  for (const { body } of [expiring, hindered, kept]) {
    unwanted.push(body.lease_id, ...Object.values(body.credential).filter((value) => value.length > 12));
  }
}, 60_000);

afterAll(async () => {
  // Whatever of it there came to be.
  try {
    if (isStarted) await lab.client.workflow.getHandle('nobodys').terminate();
  } finally {
    try {
      await (api as ApiProcess | undefined)?.stop();
    } finally {
      await (lab as Lab | undefined)?.close();
    }
  }
}, 60_000);

function issue(ttl: string): Promise<ApiAnswer> {
  const { project, config, dynamicSecret } = REQUEST;
  const body = { project, config, dynamic_secret: dynamicSecret, ttl };
  return callApi('POST', '/v1/leases', { url: api.url, token, body });
}

function metricsUrl(): string {
  return /"metrics":"(http:[^"]+)"/.exec(worker.output())![1]!;
}

async function scrape(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

/** The sum of all samples of a name with these labels; undefined: there is none. */
function valueOf(page: string, name: string, labels: Readonly<Record<string, string>> = AWS): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const values = page
    .split('\n')
    .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && !line.startsWith('#'))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .map((line) => Number(line.split(' ').at(-1)));
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

/** All samples of a name that are not 0, by what is in their braces. */
function happened(page: string, name: string): Record<string, number> {
  const lines = page.split('\n').filter((line) => line.startsWith(`${name}{`));
  return Object.fromEntries(
    lines
      .map((line) => /\{(.*)\} (.*)$/.exec(line)!)
      .filter(([, , value]) => value !== '0')
      .map(([, labels, value]) => [labels!.replaceAll('"', ''), Number(value)]),
  );
}

test('the worker tells what was issued, refused and ended, and nothing else', () => {
  expect(happened(ofWorker, 'leasehold_leases_issued_total')).toEqual({ 'integration=aws': 3 });
  expect(happened(ofWorker, 'leasehold_leases_refused_total')).toEqual({ 'integration=aws,type=InvalidTtl': 1 });
  expect(happened(ofWorker, 'leasehold_leases_ended_total')).toEqual({
    'integration=aws,state=expired': 1,
    'integration=aws,state=revoked': 1,
  });
  expect(happened(ofWorker, 'leasehold_leases_stuck_total')).toEqual({});
  expect(valueOf(ofWorker, 'leasehold_removal_lag_seconds_count')).toBe(2);
  expect(valueOf(ofWorker, 'leasehold_leases', { ...AWS, state: 'active' })).toBe(1);
  for (const state of ['provisioning', 'deprovisioning', 'stuck', 'overdue']) {
    expect([state, valueOf(ofWorker, 'leasehold_leases', { ...AWS, state })]).toEqual([state, 0]);
  }
  expect(valueOf(ofWorker, 'leasehold_oldest_overdue_seconds')).toBe(0);
});

test('it tells each attempt at the provider, its errors, what was throttled and how full it is', () => {
  expect(happened(ofWorker, 'leasehold_provider_errors_total')).toEqual({
    'integration=aws,verb=provision,type=Unavailable': 1,
    'integration=aws,verb=deprovision,type=Throttled': 1,
  });
  expect(happened(ofWorker, 'leasehold_attempt_duration_seconds_count')).toEqual({
    'integration=aws,verb=provision,outcome=done': 3,
    'integration=aws,verb=provision,outcome=failed': 1,
    'integration=aws,verb=deprovision,outcome=done': 2,
    'integration=aws,verb=deprovision,outcome=failed': 1,
  });
  expect(valueOf(ofWorker, 'leasehold_provider_quota_limit')).toBe(5_000);
  expect(valueOf(ofWorker, 'leasehold_provider_quota_used')).toBeGreaterThanOrEqual(10);
});

test('the API tells how long each issue took and how it came out', () => {
  expect(happened(ofApi, 'leasehold_issue_duration_seconds_count')).toEqual({
    'integration=aws,outcome=issued': 3,
    'integration=aws,outcome=refused': 1,
  });
  expect(happened(ofApi, 'leasehold_issue_failures_total')).toEqual({ 'integration=aws,type=InvalidTtl': 1 });
  expect(valueOf(ofApi, 'leasehold_issue_failures_total', { ...AWS, type: 'Unavailable' })).toBe(0);
  expect(valueOf(ofApi, 'leasehold_audit_failures_total', {})).toBe(0);
});

test('both tell what they are, that Temporal answers, and which queues have workers', async () => {
  expect(valueOf(ofWorker, 'leasehold_build_info', { part: 'worker' })).toBe(1);
  expect(valueOf(ofApi, 'leasehold_build_info', { part: 'api' })).toBe(1);
  expect([before, ofWorker, ofApi].map((page) => valueOf(page, 'leasehold_temporal_up', {}))).toEqual([1, 1, 1]);
  const queues = ['leasehold', 'aws/provision', 'aws/deprovision', 'aws/upkeep'];
  const served = queues.map((queue) => valueOf(before, 'leasehold_task_queue_served', { queue }));
  expect(served).toEqual([0, 0, 0, 0]);
  // What a scrape asks, without what it remembers.
  const config = await loadConfig(lab.configFile, integrationTypes);
  expect(await surveyQueues(lab.client, lab.namespace, config)).toEqual(
    expect.arrayContaining(queues.map((queue) => ({ queue, served: true }))),
  );
});

test('the worker tells what the SDK measures: tasks that fail, slots, polls and what is in memory', () => {
  const queue = { task_queue: 'leasehold' };
  expect(valueOf(ofWorker, 'temporal_workflow_task_execution_failed', queue)).toBeGreaterThan(0);
  const reasons = Object.keys(happened(ofWorker, 'temporal_workflow_task_execution_failed'));
  expect(reasons).toEqual(['failure_reason=WorkflowError,task_queue=leasehold']);
  const nondeterminism = { ...queue, failure_reason: 'NonDeterminismError' };
  expect(valueOf(ofWorker, 'temporal_workflow_task_execution_failed', nondeterminism)).toBe(0);
  expect(happened(ofWorker, 'temporal_activity_execution_failed')).toEqual({
    'failure_reason=ActivityError,task_queue=aws/provision': 1,
    'failure_reason=ActivityError,task_queue=aws/deprovision': 1,
  });
  expect(valueOf(ofWorker, 'temporal_sticky_cache_size', {})).toBeGreaterThan(0);
  for (const verb of ['provision', 'deprovision']) {
    const slots = { task_queue: `aws/${verb}`, worker_type: 'ActivityWorker' };
    expect(valueOf(ofWorker, 'temporal_worker_task_slots_available', slots)).toBe(20);
    // Few, because a process that is stopped keeps what its open polls are given.
    expect(valueOf(ofWorker, 'temporal_num_pollers', { task_queue: `aws/${verb}` })).toBe(2);
  }
});

test('the SDK has what is told of it by these names, and with no label beside these', async () => {
  const told = metricsOn(ofWorker);
  const rare = ['sticky_cache_total_forced_eviction', 'local_activity_execution_failed', 'long_request_failure'];
  for (const [name, labels] of await toldMetrics()) {
    if (!name.startsWith('temporal_') || rare.includes(name.replace('temporal_', ''))) continue;
    expect([name, told.get(name)]).toEqual([name, labels]);
  }
});

test('no page holds a lease, a holder, an entity, a credential or what somebody else called his workflow', () => {
  for (const page of [before, ofWorker, ofApi]) {
    for (const text of [...unwanted, 'token:ci', 'nobodys', 'leasehold-worker/', lab.namespace, 'S3_READER']) {
      expect(page.includes(text) ? text : '').toBe('');
    }
  }
  expect(unwanted.length).toBeGreaterThan(5);
});

test('a lease that is past its expiry is counted as overdue, with for how long it is', async () => {
  const config = await loadConfig(lab.configFile, integrationTypes);
  const clock = jest.spyOn(Date, 'now');
  const real = Date.now();
  clock.mockReturnValue(real + 10 * 60_000);
  try {
    const counts = await countLeases(lab.client, config, integrationTypes);
    const [overdue] = counts.filter(({ state }) => state === 'overdue');
    expect(overdue).toMatchObject({ integration: 'aws', count: 1 });
    // Five minutes of the ten were its own.
    expect(overdue!.oldestMs! / 60_000).toBeGreaterThan(4.5);
    expect(overdue!.oldestMs! / 60_000).toBeLessThan(6);
  } finally {
    clock.mockRestore();
  }
});

describe('the commands of Temporal in the runbook and in operations', () => {
  const run = promisify(execFile);
  const temporal = (words: readonly string[]): Promise<{ stdout: string }> =>
    run(provided().tools.temporal, [...words], { env: { HOME: lab.directory } });

  async function commands(): Promise<readonly (readonly string[])[]> {
    const pages = await Promise.all(
      ['runbook', 'operations'].map((page) => readFile(join(__dirname, `../../docs/${page}.md`), 'utf8')),
    );
    const lines = pages.flatMap((page) =>
      [...page.matchAll(/(?:^|`)(temporal [a-z][^`\n]*)/gm)].map(([, line]) => line!),
    );
    return lines.map((line) =>
      [...line.replace(/\s+#.*$/, '').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)]
        .map(([, single, double, plain]) => single ?? double ?? plain!)
        .slice(1),
    );
  }

  test('are there, with the options that they name', async () => {
    const all = await commands();
    expect(all.length).toBeGreaterThan(10);
    const helps = new Map<string, Promise<{ stdout: string }>>();
    for (const words of all) {
      const name = words.filter((_, index) => !words.slice(0, index + 1).some((word) => word.startsWith('--')));
      const help = helps.get(name.join(' ')) ?? temporal([...name, '--help']);
      helps.set(name.join(' '), help);
      const { stdout } = await help;
      expect(stdout).toContain(`temporal ${name.join(' ')}`);
      for (const option of words.filter((word) => word.startsWith('--')))
        expect(stdout).toMatch(new RegExp(`${option}\\b`));
    }
  }, 30_000);

  test('ask what Temporal can answer', async () => {
    const queries = (await commands()).filter((words) => words.includes('--query'));
    expect(queries.length).toBeGreaterThan(4);
    for (const words of queries) {
      await temporal([...words, '--address', lab.address, '--namespace', lab.namespace]);
    }
  }, 30_000);
});
