import { readFile, writeFile } from 'node:fs/promises';
import { eventually, openLab, REQUEST } from '../support/lab';
import type { Lab } from '../support/lab';
import type { WorkerProcess } from '../support/worker-process';

interface File {
  integrations: Record<string, Record<string, unknown>>;
  projects: { backend: { configs: { prd: { dynamic_secrets: Record<string, Record<string, unknown>> } } } };
}

let lab: Lab;
let worker: WorkerProcess;
let plain: string;

beforeEach(async () => {
  lab = await openLab();
  plain = await readFile(lab.configFile, 'utf8');
  worker = await lab.startWorker();
}, 60_000);

afterEach(() => lab.close(), 60_000);

async function configure(change: (file: File) => void): Promise<void> {
  const file = JSON.parse(plain) as File;
  change(file);
  await writeFile(lab.configFile, JSON.stringify(file));
}

function timesTold(sentence: string): number {
  return worker.output().split(sentence).length - 1;
}

async function untilTold(sentence: string, times = 1): Promise<void> {
  await eventually(async () => timesTold(sentence) >= times, `the worker to say: ${sentence}`);
}

/** A second dynamic secret, by a second integration. */
function addOther({ integrations, projects }: File): void {
  integrations['other'] = { ...integrations['aws'] };
  const secrets = projects.backend.configs.prd.dynamic_secrets;
  secrets['OTHER'] = { ...secrets['S3_READER'], integration: 'other' };
}

test('what was added to the file can be leased without a restart', async () => {
  const refused = await lab.leases.issue({ ...REQUEST, dynamicSecret: 'OTHER' }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'UnknownDynamicSecret' });
  await configure(addOther);
  await untilTold('The changed configuration is in force.');
  const lease = await lab.leases.issue({ ...REQUEST, dynamicSecret: 'OTHER', ttl: '5m' });
  expect(await lease.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
  expect(await worker.stop()).toBe(0);
}, 60_000);

test('a removal that is under way goes on while another configuration takes over', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '5m' });
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  let tries = 0;
  lab.proxy.setOnCall(async (operation, phase) => {
    if (operation !== 'DeleteUser' || phase !== 'before') return;
    tries += 1;
    await held;
  });
  await lease.revoke();
  await eventually(async () => tries === 1, 'the removal');
  await configure(addOther);
  await untilTold('The changed configuration is in force.');
  // New work is taken while the old goes on.
  const other = await lab.leases.issue({ ...REQUEST, dynamicSecret: 'OTHER', ttl: '5m' });
  letGo();
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'revoked' });
  expect(tries).toBe(1);
  await other.revoke({ wait: true });
  expect(await worker.stop()).toBe(0);
}, 60_000);

test('a file with a mistake changes nothing, is told once, and SIGHUP tells it again', async () => {
  await writeFile(lab.configFile, 'version: 2\n');
  await untilTold('was not taken over');
  worker.signal('SIGHUP');
  await untilTold('was not taken over', 2);
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '5m' });
  await lease.revoke({ wait: true });
  expect(timesTold('was not taken over')).toBe(2);
  await configure(addOther);
  await untilTold('The changed configuration is in force.');
}, 60_000);

test('an integration is not let go while leases of it live, and is once they have ended', async () => {
  await configure(addOther);
  await untilTold('The changed configuration is in force.');
  const lease = await lab.leases.issue({ ...REQUEST, dynamicSecret: 'OTHER', ttl: '5m' });
  const live = 'LeaseIntegration = "other" AND LeaseState = "active"';
  await eventually(async () => (await lab.client.workflow.count(live)).count === 1, 'the index to know the lease');
  await configure(() => undefined);
  await untilTold('was not taken over');
  expect(worker.output()).toMatch(/lacks integrations of which leases live: other \(1\)/);
  expect(await lease.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
  await eventually(async () => (await lab.client.workflow.count(live)).count === 0, 'the index to know its end');
  worker.signal('SIGHUP');
  await untilTold('The changed configuration is in force.', 2);
}, 60_000);

test('leases of an integration that was gone before the start are told, and those of others issued', async () => {
  await worker.kill();
  await configure(addOther);
  worker = await lab.startWorker();
  const lease = await lab.leases.issue({ ...REQUEST, dynamicSecret: 'OTHER', ttl: '5m' });
  const live = 'LeaseIntegration = "other" AND LeaseState = "active"';
  await eventually(async () => (await lab.client.workflow.count(live)).count === 1, 'the index to know the lease');
  await worker.kill();
  await configure(() => undefined);
  worker = await lab.startWorker();
  await untilTold('they cannot end without it.');
  await configure(addOther);
  await untilTold('The changed configuration is in force.');
  expect(await lease.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
}, 60_000);

test('asked to stop while another configuration takes over, it stops', async () => {
  await configure(addOther);
  worker.signal('SIGHUP');
  expect(await worker.stop()).toBe(0);
}, 60_000);
