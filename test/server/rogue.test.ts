import { temporal } from '@temporalio/proto';
import { defaultPayloadConverter } from '@temporalio/common';
import { randomLeaseId } from '../../client/lease-id';
import { generateRecipient } from '../../sealing/recipient';
import { LEASE_WORKFLOW, provisionQueue, upkeepQueue, WORKFLOW_QUEUE } from '../../workflows/contract';
import type { ProvisionInput } from '../../workflows/contract';
import { eventually } from '../support/lab';
import { MEMORY_REQUEST, openMemoryLab } from '../support/memory-lab';
import type { MemoryLab } from '../support/memory-lab';

const { CommandType, EventType } = temporal.api.enums.v1;
const TIMEOUTS = { startToCloseTimeout: { seconds: 10 as never }, heartbeatTimeout: { seconds: 5 as never } };

let lab: MemoryLab;

// Somebody who may write to the namespace, and whose worker takes the tasks of workflows before ours does.
beforeAll(async () => {
  lab = await openMemoryLab();
  await lab.startWorker({ share: { workflows: false, integrations: null } });
}, 60_000);
afterAll(() => lab.close());

async function inputOf(leaseId: string, change: Partial<ProvisionInput>): Promise<ProvisionInput> {
  const { project, config, dynamicSecret } = MEMORY_REQUEST;
  const { publicJwk: recipient } = await generateRecipient();
  const entity = `lab-${lab.deployment}-${leaseId}`;
  const bounds = { ttlMs: 60_000, issueTimeoutMs: 20_000 };
  const what = { project, config, dynamicSecret, integration: 'memory', entity, handle: { name: entity } };
  return { leaseId, ...what, ...bounds, recipient, ...change };
}

const payloads = (input: object) => ({ payloads: [defaultPayloadConverter.toPayload(input)] });

/** Answers how the activity ended that a workflow of somebody else's scheduled as `provision`. */
async function provisionFrom(workflowType: string, change: Partial<ProvisionInput> = {}): Promise<string> {
  const leaseId = randomLeaseId();
  const { workflowService } = lab.connection;
  const { namespace } = lab;
  const handle = await lab.client.workflow.start(workflowType, { workflowId: leaseId, taskQueue: WORKFLOW_QUEUE });
  const { taskToken } = await lab.connection.withDeadline(Date.now() + 20_000, () =>
    workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: WORKFLOW_QUEUE } }),
  );
  const scheduleActivityTaskCommandAttributes = {
    activityId: '1',
    activityType: { name: 'provision' },
    taskQueue: { name: provisionQueue('memory') },
    input: payloads(await inputOf(leaseId, change)),
    retryPolicy: { maximumAttempts: 1 },
    ...TIMEOUTS,
  };
  const command = {
    commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
    scheduleActivityTaskCommandAttributes,
  };
  await workflowService.respondWorkflowTaskCompleted({ namespace, taskToken, commands: [command] });
  let end = '';
  await eventually(async () => {
    const { events } = await handle.fetchHistory();
    for (const { eventType, activityTaskFailedEventAttributes: failed } of events ?? []) {
      if (eventType === EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED) end = 'made';
      if (failed != null) end = failed.failure?.applicationFailureInfo?.type ?? '';
    }
    return end !== '';
  }, 'the activity has ended');
  await handle.terminate();
  return end;
}

/** Answers what an activity says that somebody starts by a single command, without a workflow. */
async function startAlone(type: string, queue: string, input: object): Promise<string> {
  const { namespace, connection } = lab;
  const activityId = `alone-${randomLeaseId()}`;
  await connection.workflowService.startActivityExecution({
    namespace,
    activityId,
    activityType: { name: type },
    taskQueue: { name: queue },
    retryPolicy: { maximumAttempts: 1 },
    input: payloads(input),
    ...TIMEOUTS,
  });
  const { outcome } = await connection.workflowService.pollActivityExecution({ namespace, activityId });
  return outcome?.failure?.message ?? 'done';
}

test('an activity that is started alone makes nothing, for it would pass limits, blocks and audit log', async () => {
  const input = await inputOf(randomLeaseId(), {});
  expect(await startAlone('provision', provisionQueue('memory'), input)).toMatch(/for workflows alone/);
  expect(lab.provider.entities.size).toBe(0);
});

test('nor does it sweep, or write a line of somebody else into the audit log', async () => {
  const dryRun = { integration: 'memory', dryRun: true, deployment: null };
  expect(await startAlone('sweep', upkeepQueue('memory'), dryRun)).toMatch(/for workflows alone/);
  const worker = await lab.startWorker({ share: { workflows: true, integrations: [] } });
  const line = { id: 'forged', event: 'issued', leaseId: 'x', details: {} };
  expect(await startAlone('record', WORKFLOW_QUEUE, line)).toMatch(/for workflows alone/);
  expect(lab.audit).toEqual([]);
  await worker.stop();
});

test('nor does one of a workflow that is no lease', async () => {
  expect(await provisionFrom('other')).toBe('InvalidInput');
  expect(lab.provider.entities.size).toBe(0);
});

test.each<[string, string, Partial<ProvisionInput>]>([
  ['lives longer than its dynamic secret allows', 'InvalidTtl', { ttlMs: 13 * 3_600_000 }],
  ['is to be made for a year', 'Unavailable', { issueTimeoutMs: 365 * 86_400_000 }],
  ['has another name', 'Unavailable', { entity: 'lab-other', handle: { name: 'lab-other' } }],
  ['is to be removed in another way', 'Unavailable', { handle: { name: 'lab', owner: 'postgres' } }],
])('a history that was written by hand makes nothing that %s', async (_, type, change) => {
  expect(await provisionFrom(LEASE_WORKFLOW, change)).toBe(type);
  expect(lab.provider.entities.size).toBe(0);
});

test('what it can make is what the configuration lets be leased', async () => {
  expect(await provisionFrom(LEASE_WORKFLOW)).toBe('made');
  expect(lab.provider.entities.size).toBe(1);
});

test('nobody who is honest is refused while a new configuration reaches one worker after the other', async () => {
  const share = { workflows: false, integrations: null };
  const own = await openMemoryLab();
  try {
    await own.startWorker({ share: { workflows: true, integrations: [] } });
    const behind = await own.startWorker({ share, config: { integration: { connection: { prefix: 'before' } } } });
    const issued = own.leases.issue({ ...MEMORY_REQUEST, ttl: '5m' });
    await eventually(async () => {
      for await (const { workflowId } of own.client.workflow.list({ query: 'WorkflowType = "lease"' })) {
        const { raw } = await own.handle(workflowId).describe();
        if (raw.pendingActivities?.some(({ attempt }) => attempt! > 1) === true) return true;
      }
      return false;
    }, 'the worker that is behind to leave it to another');
    expect(own.provider.entities.size).toBe(0);
    await Promise.all([behind.stop(), own.startWorker({ share })]);
    const lease = await issued;
    expect(own.provider.of(lease.leaseId)).toHaveLength(1);
    await lease.revoke({ wait: true });
    expect(own.provider.entities.size).toBe(0);
  } finally {
    await own.close();
  }
}, 60_000);
