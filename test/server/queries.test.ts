import { setTimeout as sleep } from 'node:timers/promises';
import type { LeaseView } from '../../workflows/contract';
import { eventually } from '../support/lab';
import { MEMORY_REQUEST, openMemoryLab } from '../support/memory-lab';
import type { MemoryLab } from '../support/memory-lab';

// A worker that answers a query reads the history to its end, also what no workflow task has taken in yet. It must not let the
// lease go on there: its clock would still be that of the last task.

const WORKFLOWS = { workflows: true, integrations: [] };
const ACTIVITIES = { workflows: false, integrations: null };

let lab: MemoryLab;

beforeAll(async () => {
  lab = await openMemoryLab();
}, 60_000);

let release = (): void => undefined;

afterEach(() => {
  release();
  lab.provider.before = () => undefined;
});

afterAll(() => lab.close());

function ask(leaseId: string): Promise<LeaseView> {
  return lab.handle(leaseId).query('lease');
}

test('a query does not end a lease for whose end there was no task', async () => {
  const worker = await lab.startWorker();
  const { leaseId } = await lab.leases.issue({ ...MEMORY_REQUEST, ttl: '10m' });
  await worker.stop();
  await lab.handle(leaseId).signal('revoke', { by: 'ada' });
  await lab.handle(leaseId).terminate('by mistake');
  const { runId } = await lab.handle(leaseId).describe();
  const before = lab.events(leaseId);
  const next = await lab.startWorker();
  await expect(lab.client.workflow.getHandle(leaseId, runId).query('lease')).rejects.toThrow(/has not taken in yet/);
  expect(lab.events(leaseId)).toEqual(before);
  await next.stop();
  lab.provider.entities.clear();
}, 40_000);

test('a lease that is asked before its workflow has heard of its credential counts its time from when it did', async () => {
  const activities = await lab.startWorker({ share: ACTIVITIES });
  const first = await lab.startWorker({ share: WORKFLOWS });
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  lab.provider.before = (verb) => (verb === 'provision' ? held : undefined);
  const issues = Array.from({ length: 10 }, () => lab.leases.issue({ ...MEMORY_REQUEST, ttl: '10m' }));
  // Told below.
  void Promise.allSettled(issues);
  await eventually(async () => lab.provider.calls.provision >= issues.length, 'all to be under way at the provider');
  await first.stop();
  await sleep(2_000);
  const leaseIds: string[] = [];
  for await (const lease of lab.leases.list({ state: 'provisioning' })) leaseIds.push(lease.leaseId);
  expect(leaseIds).toHaveLength(issues.length);
  const asked = Promise.allSettled(leaseIds.flatMap((leaseId) => [ask(leaseId), ask(leaseId)]));
  const releasedAt = Date.now();
  release();
  await eventually(async () => lab.provider.entities.size === issues.length, 'all to be made');
  const second = await lab.startWorker({ share: WORKFLOWS });
  const leases = await Promise.all(issues);
  await asked;
  for (const { leaseId, expiresAt } of leases) {
    const view = await ask(leaseId);
    expect(Date.parse(view.issuedAt!)).toBeGreaterThanOrEqual(releasedAt);
    expect(view.expiresAt).toBe(expiresAt.toISOString());
    expect(lab.audit.filter((line) => line.leaseId === leaseId && line.event === 'issued')).toHaveLength(1);
  }
  await Promise.all(leases.map((lease) => lease.revoke({ wait: true })));
  expect(lab.provider.entities.size).toBe(0);
  await second.stop();
  await activities.stop();
}, 60_000);
