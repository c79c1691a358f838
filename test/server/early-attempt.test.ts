import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities';
import type { AuditRecord } from '../../audit/writer';
import { randomLeaseId } from '../../client/lease-id';
import { memoryActivities } from '../support/memory-activities';
import { MEMORY_REQUEST, openMemoryLab } from '../support/memory-lab';
import type { MemoryLab } from '../support/memory-lab';

// After a kill -9 of the server an attempt may be given to a worker minutes before the back-off of the one before is over. What the
// SDK calls the time for which it was scheduled then lies ahead, and is no clock.

const HOUR = 3_600_000;
const ACTIVITY = '1';
const ATTEMPT = 7;

let lab: MemoryLab;
let activities: Activities;
const lines: AuditRecord[] = [];

beforeAll(async () => {
  lab = await openMemoryLab();
  await lab.startWorker();
  activities = memoryActivities(lab, lines);
}, 60_000);

afterAll(async () => {
  activities.close();
  await lab.close();
});

beforeEach(() => {
  lines.length = 0;
});

/** An attempt of a workflow's activity that was to begin in an hour, as a server tells of it that gave it away just now. */
function early(workflow: { workflowId: string; type: string }, attempt = ATTEMPT): MockActivityEnvironment {
  const pending = {
    activityId: ACTIVITY,
    attempt,
    lastStartedTime: { seconds: Math.floor(Date.now() / 1_000), nanos: 0 },
  };
  const client = {
    withAbortSignal: <T>(_: AbortSignal, act: () => Promise<T>) => act(),
    withDeadline: <T>(_: number, act: () => Promise<T>) => act(),
    workflow: { getHandle: () => ({ describe: async () => ({ raw: { pendingActivities: [pending] } }) }) },
    workflowService: { recordActivityTaskHeartbeat: async () => ({}) },
  };
  return new MockActivityEnvironment(
    {
      activityId: ACTIVITY,
      attempt: ATTEMPT,
      scheduledTimestampMs: Date.now() - HOUR,
      currentAttemptScheduledTimestampMs: Date.now() + HOUR,
      startToCloseTimeoutMs: 60_000,
      scheduleToCloseTimeoutMs: 0,
      heartbeatTimeoutMs: 10_000,
      workflowExecution: { workflowId: workflow.workflowId, runId: '00000000-0000-4000-8000-000000000000' },
      workflowType: workflow.type,
    },
    { client: client as unknown as Client },
  );
}

test('a sweep that was begun too early takes no live lease for one that is late', async () => {
  const lease = await lab.leases.issue({ ...MEMORY_REQUEST, ttl: '10m' });
  const report = await early({ workflowId: 'sweep/early', type: 'sweep' }).run(() =>
    activities.upkeep.sweep({ integration: 'memory', dryRun: false, deployment: null }),
  );
  expect(report).toMatchObject({ examined: 1, live: 1, removed: 0 });
  expect(lab.provider.of(lease.leaseId)).toHaveLength(1);
  expect(lines).toEqual([]);
  await lease.revoke({ wait: true });
});

describe('a removal that was begun too early', () => {
  const remove = (attempt?: number): Promise<unknown> => {
    const leaseId = randomLeaseId();
    const entity = `lab-${lab.deployment}-${leaseId}`;
    return early({ workflowId: leaseId, type: 'lease' }, attempt).run(() =>
      activities.deprovision.deprovision({
        leaseId,
        integration: 'memory',
        entity,
        handle: { name: entity },
        absenceCertainAt: new Date(Date.now() + HOUR / 2).toISOString(),
      }),
    );
  };

  test('does not believe that there is nothing while something may still appear', async () => {
    await expect(remove()).rejects.toMatchObject({ type: 'AbsenceUnproven' });
  });

  test('proves nothing once another attempt has taken over', async () => {
    await expect(remove(ATTEMPT + 1)).rejects.toThrow('Another attempt has taken over');
  });
});
