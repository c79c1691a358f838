import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { IntegrationError } from '../../activities/integrations/integration';
import type { AuditRecord } from '../../audit/writer';
import { randomLeaseId } from '../../client/lease-id';
import { ATTRIBUTES, SWEEP_WORKFLOW, WORKFLOW_QUEUE } from '../../workflows/contract';
import type { SweepInput, SweepReport } from '../../workflows/contract';
import { eventually } from '../support/lab';
import { memoryActivities } from '../support/memory-activities';
import { MEMORY_REQUEST, openMemoryLab } from '../support/memory-lab';
import type { MemoryLab, RunningWorker } from '../support/memory-lab';
import { asRun, replay } from '../support/replay';

let lab: MemoryLab;
let worker: RunningWorker;

beforeAll(async () => {
  lab = await openMemoryLab();
  worker = await lab.startWorker();
}, 60_000);

afterAll(() => lab.close());

afterEach(() => {
  lab.provider.heal();
  lab.provider.entities.clear();
});

function sweep(input: Partial<SweepInput> = {}): Promise<SweepReport> {
  return lab.client.workflow.execute(SWEEP_WORKFLOW, {
    taskQueue: WORKFLOW_QUEUE,
    workflowId: `sweep/test-${randomUUID()}`,
    args: [{ integration: 'memory', dryRun: false, deployment: null, ...input }],
  }) as Promise<SweepReport>;
}

/** Puts an entity at the provider that no lease of this namespace knows of. */
function plant(
  options: { deployment?: string; expiresAt?: Date | null; createdAt?: Date; marked?: boolean } = {},
): string {
  const { deployment = lab.deployment, expiresAt = null, createdAt = new Date(), marked = true } = options;
  const leaseId = randomLeaseId();
  const name = `lab-${deployment}-${leaseId}`;
  const marks = marked ? { deployment, leaseId } : { deployment: null, leaseId: null };
  lab.provider.entities.set(name, { ...marks, expiresAt, createdAt });
  return name;
}

async function issue(ttl: string): Promise<string> {
  return (await lab.leases.issue({ ...MEMORY_REQUEST, ttl })).leaseId;
}

async function terminate(leaseId: string): Promise<void> {
  await lab.handle(leaseId).terminate('by mistake');
}

const inHours = (hours: number): Date => new Date(Date.now() + hours * 3_600_000);

test('the entity of a live lease is left alone, however often it is swept', async () => {
  const leaseId = await issue('10m');
  expect(await sweep()).toMatchObject({ examined: 1, live: 1, removed: 0 });
  expect(lab.provider.of(leaseId)).toHaveLength(1);
  await lab.leases.revoke(leaseId, { wait: true });
});

test('the entity of a terminated lease is removed, and the audit line says why', async () => {
  const leaseId = await issue('10m');
  const [entity] = lab.provider.of(leaseId);
  await terminate(leaseId);
  const { runId } = await lab.handle(leaseId).describe();
  expect(await sweep()).toMatchObject({ removed: 1, removals: [{ entity, leaseId, reason: 'closed' }] });
  expect(lab.provider.of(leaseId)).toEqual([]);
  const lines = lab.audit.filter((line) => line.leaseId === leaseId && line.event === 'swept');
  expect(lines.map(({ id }) => id)).toEqual([`${leaseId}/${runId}/swept`, `${leaseId}/${runId}/swept/done`]);
  for (const line of lines) {
    expect(line).toMatchObject({ entity, reason: expect.stringContaining('was terminated in Temporal') });
  }
  expect((await lab.metrics.text()).body).toMatch(/leasehold_entities_swept_total\{[^}]*reason="closed"[^}]*\} 1/);
});

test('a dry run says what it would remove and removes nothing', async () => {
  const leaseId = await issue('10m');
  await terminate(leaseId);
  expect(await sweep({ dryRun: true })).toMatchObject({ dryRun: true, removed: 1, removals: [{ leaseId }] });
  expect(lab.provider.of(leaseId)).toHaveLength(1);
  expect(lab.events(leaseId)).not.toContain('swept');
});

test('an ended lease has a grace before its entity is swept', async () => {
  const own = await openMemoryLab({ integration: { sweep: { every: '7d', grace: '1h', overdue_after: '1s' } } });
  try {
    await own.startWorker();
    const { leaseId } = await own.leases.issue({ ...MEMORY_REQUEST, ttl: '10m' });
    await own.handle(leaseId).terminate();
    const report = (await own.client.workflow.execute(SWEEP_WORKFLOW, {
      taskQueue: WORKFLOW_QUEUE,
      workflowId: 'sweep/test',
      args: [{ integration: 'memory', dryRun: false, deployment: null }],
    })) as SweepReport;
    expect(report).toMatchObject({ waiting: 1, removed: 0 });
    expect(own.provider.of(leaseId)).toHaveLength(1);
  } finally {
    await own.close();
  }
}, 60_000);

test('what an abandoned lease left behind is removed by the sweep', async () => {
  const leaseId = await issue('10m');
  lab.provider.fail('Unavailable', 'deprovision');
  await lab.leases.revoke(leaseId);
  await eventually(async () => (await lab.leases.get(leaseId)).state === 'deprovisioning', 'the removal to begin');
  await lab.handle(leaseId).signal('abandon', { by: 'ada', reason: 'in a hurry' });
  expect(await lab.outcome(leaseId)).toMatchObject({ state: 'abandoned' });
  expect(lab.provider.of(leaseId)).toHaveLength(1);
  lab.provider.heal();
  expect(await sweep()).toMatchObject({ removed: 1 });
  expect(lab.provider.of(leaseId)).toEqual([]);
});

test('a lease that Temporal has forgotten keeps its entity until the time that the entity itself bears is past', async () => {
  const living = plant({ expiresAt: inHours(1) });
  const dead = plant({ expiresAt: inHours(-1) });
  expect(await sweep()).toMatchObject({ removed: 1, waiting: 1, removals: [{ entity: dead, reason: 'unknown' }] });
  expect([...lab.provider.entities.keys()]).toEqual([living]);
});

test('a deleted workflow is a forgotten lease', async () => {
  const leaseId = await issue('10m');
  await lab.connection.workflowService.deleteWorkflowExecution({
    namespace: lab.namespace,
    workflowExecution: { workflowId: leaseId },
  });
  await eventually(async () => {
    const found = await lab.leases.get(leaseId).catch(() => null);
    return found === null;
  }, 'the workflow to be deleted');
  expect(await sweep()).toMatchObject({ removed: 0, waiting: 1 });
  const [entity] = lab.provider.of(leaseId);
  lab.provider.entities.set(entity!, { ...lab.provider.entities.get(entity!)!, expiresAt: inHours(-1) });
  expect(await sweep()).toMatchObject({ removed: 1, removals: [{ leaseId, reason: 'unknown' }] });
  expect(lab.provider.of(leaseId)).toEqual([]);
});

test('an entity without an expiry of its own goes only when it is older than any lease may be', async () => {
  const young = plant({ createdAt: inHours(-24) });
  const old = plant({ createdAt: inHours(-24 * 8) });
  expect(await sweep()).toMatchObject({ removed: 1, waiting: 1, removals: [{ entity: old }] });
  expect([...lab.provider.entities.keys()]).toEqual([young]);
});

test('an entity whose holder wrote an expiry on it that no lease can have goes by its age, but not that of another installation', async () => {
  const expiresAt = new Date('9999-12-31T23:59:59Z');
  const young = plant({ expiresAt, createdAt: inHours(-24) });
  const old = plant({ expiresAt, createdAt: inHours(-24 * 8) });
  const foreign = plant({ expiresAt, createdAt: inHours(-24 * 8), deployment: 'otherone' });
  expect(await sweep()).toMatchObject({ removed: 1, waiting: 1, removals: [{ entity: old }] });
  expect(await sweep({ deployment: 'otherone' })).toMatchObject({ removed: 0, waiting: 1 });
  expect([...lab.provider.entities.keys()]).toEqual([young, foreign]);
});

test('entities of another installation, half-marked ones and strangers are counted and never touched', async () => {
  plant({ deployment: 'otherone', expiresAt: inHours(-9) });
  plant({ deployment: 'otherone', expiresAt: inHours(-9) });
  const half = plant({ marked: false, expiresAt: inHours(-9), createdAt: inHours(-24 * 400) });
  lab.provider.entities.set('lab-of-somebody-else', {
    deployment: null,
    leaseId: null,
    expiresAt: inHours(-9),
    createdAt: inHours(-24 * 400),
  });
  expect(await sweep()).toMatchObject({ removed: 0, foreign: { otherone: 2 }, unmarked: 2 });
  expect(lab.provider.entities.size).toBe(4);
  expect(lab.provider.entities.has(half)).toBe(true);
});

test('a worker of another namespace, or of a fresh server, with the same configuration removes nothing and says why', async () => {
  const own = await openMemoryLab();
  try {
    await own.startWorker();
    const leaseId = await issue('10m');
    for (const [name, entity] of lab.provider.entities) own.provider.entities.set(name, entity);
    const report = (await own.client.workflow.execute(SWEEP_WORKFLOW, {
      taskQueue: WORKFLOW_QUEUE,
      workflowId: 'sweep/test',
      args: [{ integration: 'memory', dryRun: false, deployment: null }],
    })) as SweepReport;
    expect(report).toMatchObject({ deployment: own.deployment, removed: 0, foreign: { [lab.deployment]: 1 } });
    expect(own.provider.of(leaseId)).toHaveLength(1);
    await lab.leases.revoke(leaseId, { wait: true });
  } finally {
    await own.close();
  }
}, 60_000);

test('what another installation left is removed when it is named, once its own time is past', async () => {
  plant({ deployment: 'otherone', expiresAt: inHours(-1) });
  const living = plant({ deployment: 'otherone', expiresAt: inHours(1) });
  const ours = plant({ expiresAt: inHours(-1) });
  expect(await sweep({ deployment: 'otherone' })).toMatchObject({
    removed: 1,
    waiting: 1,
    removals: [{ reason: 'other installation' }],
    foreign: {},
  });
  expect([...lab.provider.entities.keys()].sort()).toEqual([living, ours].sort());
  await expect(sweep({ deployment: lab.deployment })).rejects.toThrow();
});

test('leases whose release does not work at all are ended by the sweep of the same worker', async () => {
  const leaseId = await issue('3s');
  await worker.stop();
  const workflowBundle = await bundleWorkflowCode({
    logger: new DefaultLogger('ERROR'),
    workflowsPath: require.resolve('../support/bad-deploy.ts'),
  });
  const bad = await lab.startWorker({ workflowBundle });
  try {
    await eventually(async () => (await sweep()).removals.some((removal) => removal.leaseId === leaseId), 'a sweep');
    expect(lab.provider.of(leaseId)).toEqual([]);
    expect(lab.events(leaseId)).toContain('late');
  } finally {
    await bad.stop();
    worker = await lab.startWorker();
  }
  // The release is mended: the lease finds nothing left and ends by itself.
  expect(await lab.outcome(leaseId)).toMatchObject({ state: 'expired' });
}, 60_000);

async function reset(leaseId: string): Promise<void> {
  const { runId } = await lab.handle(leaseId).describe();
  await lab.connection.workflowService.resetWorkflowExecution({
    namespace: lab.namespace,
    workflowExecution: { workflowId: leaseId, runId },
    workflowTaskFinishEventId: 4 as never,
    requestId: randomUUID(),
    reason: 'by mistake',
  });
}

/** As another worker replays it that takes it over. */
async function replayLatest(leaseId: string): Promise<void> {
  const { runId } = await lab.handle(leaseId).describe();
  await replay(asRun(await lab.handle(leaseId).fetchHistory(), runId), leaseId);
}

test('a lease that was reset and is revoked before it provisions again ends when what it had made is gone', async () => {
  const leaseId = await issue('10m');
  await worker.stop();
  await reset(leaseId);
  await lab.handle(leaseId).signal('revoke');
  worker = await lab.startWorker();
  expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
  expect(lab.provider.of(leaseId)).toEqual([]);
  await replayLatest(leaseId);
});

test('a lease that was reset and can make nothing any more removes what it had made', async () => {
  const leaseId = await issue('10m');
  lab.provider.fail('Refused', 'provision');
  try {
    await reset(leaseId);
    expect(await lab.outcome(leaseId)).toMatchObject({ state: 'failed' });
  } finally {
    lab.provider.heal();
  }
  expect(lab.provider.of(leaseId)).toEqual([]);
  await replayLatest(leaseId);
});

// As a block does, or a limit that is reached.
const REFUSING = { config: { integration: { paused: true } } };

test.each([
  ['revoked', true],
  ['failed', false],
] as const)(
  'a lease that was reset and may make nothing any more ends as %s when what it had made is gone',
  async (state, isRevoked) => {
    const leaseId = await issue('10m');
    await worker.stop();
    await reset(leaseId);
    if (isRevoked) await lab.handle(leaseId).signal('revoke');
    worker = await lab.startWorker(REFUSING);
    expect(await lab.outcome(leaseId)).toMatchObject({ state });
    expect(lab.provider.of(leaseId)).toEqual([]);
    await replayLatest(leaseId);
    await worker.stop();
    worker = await lab.startWorker();
  },
);

test('a lease that was reset and is not known to the configuration any more does not say that it was revoked, and is swept', async () => {
  const leaseId = await issue('10m');
  await worker.stop();
  await reset(leaseId);
  await lab.handle(leaseId).signal('revoke');
  worker = await lab.startWorker({ config: { name: null } });
  expect(await lab.outcome(leaseId)).toMatchObject({ state: 'failed' });
  expect(lab.provider.of(leaseId)).toHaveLength(1);
  await replayLatest(leaseId);
  await worker.stop();
  worker = await lab.startWorker();
  expect(await sweep()).toMatchObject({ removed: 1, removals: [{ leaseId, reason: 'closed' }] });
  expect(lab.provider.of(leaseId)).toEqual([]);
});

test('a lease that was reset provisions again under its name, and nothing is left at its end', async () => {
  const leaseId = await issue('10m');
  await reset(leaseId);
  await eventually(async () => (await lab.leases.get(leaseId)).state === 'active', 'the new run to be active');
  expect(await sweep()).toMatchObject({ removed: 0, live: 1 });
  expect(lab.provider.of(leaseId)).toHaveLength(1);
  expect(await lab.leases.revoke(leaseId, { wait: true })).toMatchObject({ state: 'revoked' });
  expect(lab.provider.of(leaseId)).toEqual([]);
});

test('a lease that is still being made has no expiry and is left alone until that of its entity is past', async () => {
  const leaseId = await issue('10m');
  // As if the worker had died right after the entity was made.
  const { runId } = await lab.handle(leaseId).describe();
  await lab.handle(leaseId).terminate();
  await lab.client.workflow.start('lease', {
    taskQueue: 'nobody-serves-this',
    workflowId: leaseId,
    typedSearchAttributes: [{ key: ATTRIBUTES.state, value: 'provisioning' }],
  });
  expect(runId).not.toBe((await lab.handle(leaseId).describe()).runId);
  expect(await sweep()).toMatchObject({ removed: 0, live: 1 });
  const [entity] = lab.provider.of(leaseId);
  lab.provider.entities.set(entity!, { ...lab.provider.entities.get(entity!)!, expiresAt: inHours(-1) });
  expect(await sweep()).toMatchObject({ removed: 1, removals: [{ reason: 'late' }] });
  await terminate(leaseId);
});

test('one entity that cannot be removed hides no other', async () => {
  const ids = await Promise.all(Array.from({ length: 5 }, () => issue('10m')));
  await Promise.all(ids.map(terminate));
  const [stubborn] = lab.provider.of(ids[2]!);
  lab.provider.before = (verb, name) => {
    if (verb !== 'deprovision' || name !== stubborn) return;
    throw new IntegrationError('Refused', { operation: 'Delete', entity: name });
  };
  try {
    expect(await sweep()).toMatchObject({ removed: 4, failed: 1, failures: [{ entity: stubborn }] });
    expect([...lab.provider.entities.keys()]).toEqual([stubborn]);
  } finally {
    lab.provider.before = () => undefined;
  }
});

test('orphans that can never be removed, however many in a row, hide none that can', async () => {
  const stubborn = Array.from({ length: 12 }, () => plant({ expiresAt: inHours(-1) })).sort();
  const last = `lab-${lab.deployment}-${'7'.repeat(24)}`;
  const marks = { deployment: lab.deployment, leaseId: '7'.repeat(24) };
  lab.provider.entities.set(last, { ...marks, expiresAt: inHours(-1), createdAt: new Date() });
  lab.provider.before = (verb, name) => {
    if (verb === 'deprovision' && stubborn.includes(name))
      throw new IntegrationError('Refused', { operation: 'Delete' });
  };
  try {
    expect(await sweep()).toMatchObject({ removed: 1, failed: 12, removals: [{ entity: last }] });
  } finally {
    lab.provider.before = () => undefined;
  }
});

test('a lease that is issued again under its id while the sweep is about to remove what it left is not touched', async () => {
  const request = { ...MEMORY_REQUEST, ttl: '10m', idempotencyKey: randomUUID() };
  lab.provider.fail('Refused', 'provision');
  const failed = (await lab.leases.issue(request).catch((error: unknown) => error)) as { leaseId: string };
  await lab.outcome(failed.leaseId);
  lab.provider.heal();
  const { leaseId } = failed;
  const entity = `lab-${lab.deployment}-${leaseId}`;
  const marks = { deployment: lab.deployment, leaseId };
  lab.provider.entities.set(entity, { ...marks, expiresAt: inHours(-1), createdAt: new Date() });
  let isReissued = false;
  lab.provider.before = async (verb) => {
    if (verb !== 'deprovision' || isReissued) return;
    isReissued = true;
    expect((await lab.leases.issue(request)).leaseId).toBe(leaseId);
  };
  try {
    expect(await sweep()).toMatchObject({ removed: 0, live: 1 });
    expect(lab.provider.of(leaseId)).toEqual([entity]);
    expect((await lab.leases.get(leaseId)).state).toBe('active');
  } finally {
    lab.provider.before = () => undefined;
    await lab.leases.revoke(leaseId, { wait: true });
  }
});

test('each integration is swept by a schedule that the worker keeps', async () => {
  await eventually(async () => {
    const found = await lab.client.schedule
      .getHandle('sweep/memory')
      .describe()
      .catch(() => null);
    return found !== null;
  }, 'the schedule');
  const schedule = await lab.client.schedule.getHandle('sweep/memory').describe();
  expect(schedule.action).toMatchObject({
    workflowType: SWEEP_WORKFLOW,
    args: [{ integration: 'memory', dryRun: false }],
  });
  const leaseId = await issue('10m');
  await terminate(leaseId);
  await lab.client.schedule.getHandle('sweep/memory').trigger();
  await eventually(async () => lab.provider.of(leaseId).length === 0, 'the scheduled sweep');
});

test('a worker whose namespace was made anew under its hands sweeps nothing and says why', async () => {
  const lines: AuditRecord[] = [];
  const activities = memoryActivities(lab, lines, 'formerly');
  plant({ deployment: 'formerly', expiresAt: inHours(-1) });
  const run = new MockActivityEnvironment().run(() =>
    activities.upkeep.sweep({ integration: 'memory', dryRun: false, deployment: null }),
  );
  await expect(run).rejects.toThrow(/deployment .*, not formerly.*nothing was removed/);
  expect(lines).toEqual([expect.objectContaining({ event: 'sweep_refused' })]);
  expect(lab.provider.entities.size).toBe(1);
  activities.close();
});
