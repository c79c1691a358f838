import { eventually } from '../support/lab';
import { MEMORY_REQUEST, openMemoryLab } from '../support/memory-lab';
import type { MemoryLab } from '../support/memory-lab';

let lab: MemoryLab;

beforeAll(async () => {
  lab = await openMemoryLab();
  await lab.startWorker();
}, 60_000);

afterAll(() => lab.close());

afterEach(() => {
  lab.breakAudit(false);
  lab.provider.heal();
});

function issue(ttl = '10m') {
  return lab.leases.issue({ ...MEMORY_REQUEST, ttl });
}

/** A line may be written twice; its id tells. */
function linesOf(leaseId: string) {
  return lab.audit.filter(
    ({ id }, at) => id.startsWith(leaseId) && lab.audit.findIndex((line) => line.id === id) === at,
  );
}

test('the audit log tells a lease from issue to end: who, what and why, and no credential', async () => {
  const lease = await issue();
  await lease.extend('20m');
  await lease.extend('5m');
  await lease.revoke({ by: 'ada', reason: 'no longer needed', wait: true });
  const { leaseId } = lease;
  const [entity] = [`lab-${lab.deployment}-${leaseId}`];
  const { runId } = await lab.handle(leaseId).describe();
  const events = ['issued', 'extended', 'extended/2', 'revoked'];
  expect(linesOf(leaseId).map(({ id }) => id)).toEqual(events.map((event) => `${leaseId}/${runId}/${event}`));
  for (const line of linesOf(leaseId)) {
    expect(line).toMatchObject({
      holder: 'library:tester',
      project: 'backend',
      config: 'prd',
      dynamicSecret: 'TOKEN',
      integration: 'memory',
      entity,
    });
  }
  expect(linesOf(leaseId).at(-1)).toMatchObject({
    by: 'library:ada',
    reason: 'no longer needed',
    details: { delivered: true, extensions: 2, lagMs: expect.any(Number) },
  });
  expect(JSON.stringify(linesOf(leaseId))).not.toContain(lease.credential['TOKEN']!);
});

test('a lease that runs out is written down as expired, and how late it was removed is measured', async () => {
  const { leaseId } = await issue('1s');
  await lab.outcome(leaseId);
  expect(lab.events(leaseId)).toEqual(['issued', 'expired']);
  const { body } = await lab.metrics.text();
  expect(body).toMatch(/leasehold_leases_ended_total\{[^}]*state="expired"[^}]*\} [1-9]/);
  expect(body).toMatch(/leasehold_removal_lag_seconds_count\{[^}]*integration="memory"[^}]*\} [1-9]/);
});

test('a request that is refused is written down as denied, with the reason, and one that fails as failed', async () => {
  const denied = await lab.leases.issue({ ...MEMORY_REQUEST, ttl: '13h' }).catch((error: unknown) => error);
  const { leaseId } = denied as { leaseId: string };
  expect(linesOf(leaseId)).toEqual([expect.objectContaining({ event: 'denied', entity: null })]);
  expect(linesOf(leaseId)[0]!.reason).toMatch(/^InvalidTtl: .*12h/);
  lab.provider.fail('Refused', 'provision');
  const failed = (await issue().catch((error: unknown) => error)) as { leaseId: string };
  await lab.outcome(failed.leaseId);
  expect(linesOf(failed.leaseId)).toEqual([
    expect.objectContaining({ event: 'failed', reason: expect.stringContaining('Refused') }),
  ]);
});

test('of two who give up a removal the first one is written down', async () => {
  const lease = await issue();
  let goOn = (): void => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  lab.provider.before = (verb) => (verb === 'deprovision' ? held : undefined);
  try {
    await lease.revoke();
    await eventually(async () => (await lab.leases.get(lease.leaseId)).state === 'deprovisioning', 'the removal');
    for (const by of ['ada', 'bob']) await lab.handle(lease.leaseId).signal('abandon', { by, reason: `by ${by}` });
  } finally {
    lab.provider.fail('Unavailable', 'deprovision');
    lab.provider.before = () => undefined;
    goOn();
  }
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'abandoned', endedBy: 'ada', reason: 'by ada' });
  expect(linesOf(lease.leaseId).at(-1)).toMatchObject({ event: 'abandoned', by: 'ada', reason: 'by ada' });
});

test('a cancelled lease and one that is abandoned are written down as such', async () => {
  const cancelled = await issue();
  await lab.handle(cancelled.leaseId).cancel();
  await lab.outcome(cancelled.leaseId);
  expect(linesOf(cancelled.leaseId).at(-1)).toMatchObject({ event: 'revoked', reason: 'cancelled in Temporal' });
  const abandoned = await issue();
  lab.provider.fail('Unavailable', 'deprovision');
  await abandoned.revoke();
  await eventually(async () => (await lab.leases.get(abandoned.leaseId)).state === 'deprovisioning', 'the removal');
  await lab.handle(abandoned.leaseId).signal('abandon', { by: 'ada', reason: 'account closed' });
  await lab.outcome(abandoned.leaseId);
  expect(linesOf(abandoned.leaseId).at(-1)).toMatchObject({ event: 'abandoned', by: 'ada', reason: 'account closed' });
});

test('without an audit line nothing is issued, and what was made for it is removed', async () => {
  lab.breakAudit(true);
  const failed = (await issue().catch((error: unknown) => error)) as { code: string; message: string; leaseId: string };
  expect(failed).toMatchObject({ code: 'Unavailable', message: expect.stringContaining('audit line') });
  await eventually(async () => lab.provider.of(failed.leaseId).length === 0, 'the entity to be removed');
  lab.breakAudit(false);
  expect(await lab.outcome(failed.leaseId)).toMatchObject({ state: 'failed', delivered: false });
  expect(lab.events(failed.leaseId)).toEqual(['failed']);
}, 60_000);

test('an audit log that cannot be written holds up no removal, and gets its line when it can', async () => {
  const lease = await issue();
  lab.breakAudit(true);
  await lease.extend('20m');
  await lease.revoke();
  await eventually(async () => lab.provider.of(lease.leaseId).length === 0, 'the entity to be removed');
  expect(lab.events(lease.leaseId)).toEqual(['issued']);
  lab.breakAudit(false);
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'revoked' });
  expect(lab.events(lease.leaseId)).toEqual(['issued', 'extended', 'revoked']);
}, 60_000);
