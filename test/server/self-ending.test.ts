import { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { createAdmission } from '../../activities/admission';
import { createConnections } from '../../activities/connections';
import { createDoor } from '../../activities/door';
import { integrationTypes } from '../../activities/integrations/registry';
import { createDeprovisionActivities } from '../../activities/lease';
import { createPlanning } from '../../activities/planning';
import { revokeLease } from '../../client/end';
import { issueLease } from '../../client/issue';
import { keepAsserted } from '../../client/identity';
import type { Lease } from '../../client/leases';
import type { Session } from '../../client/session';
import { parseConfig } from '../../config/load';
import { createMetrics } from '../../telemetry/metrics';
import { lease as leaseQuery } from '../../workflows/contract';
import type { DeprovisionActivities, LeaseOutcome, LeaseView } from '../../workflows/contract';
import { INTEGRATION, startFakeWorker } from '../support/fake-worker';
import type { FakeWorker } from '../support/fake-worker';
import { REQUEST } from '../support/lab';
import { addSearchAttributes } from '../support/namespace';
import { provided } from '../support/stack';

// Leases of what nobody can end before its time. Time is skipped while a test sleeps in `env` or awaits an outcome.

const NAMESPACE = 'default';
const DEPLOYMENT = 'testdepl';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ISSUE_TIMEOUT = MINUTE;
const WINDOW = 30_000;

const CONFIG = `
version: 1
integrations:
  ${INTEGRATION}:
    type: aws_sts
    connection: { region: us-east-1 }
    timings: { issue_timeout: 60s, stuck_after: 10m }
projects:
  backend:
    configs:
      prd:
        dynamic_secrets:
          ${REQUEST.dynamicSecret}:
            integration: ${INTEGRATION}
            max_ttl: 11h
            parameters: { role_arn: 'arn:aws:iam::123456789012:role/reports' }
`;

let env: TestWorkflowEnvironment;
let worker: FakeWorker;
let session: Session;
/** When each attempt to remove anything was begun. */
let looks: number[] = [];
let hints = 0;

beforeAll(async () => {
  env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: provided().testServer } },
  });
  await addSearchAttributes(env.connection, NAMESPACE);
  const config = parseConfig(CONFIG, integrationTypes, 'test.yaml');
  const client = new Client({ connection: env.connection, namespace: NAMESPACE });
  const real = createDeprovisionActivities({
    config,
    connections: createConnections(config, integrationTypes),
    deployment: DEPLOYMENT,
    metrics: createMetrics(),
    reporter: { reportStuck: async () => undefined, hint: () => void (hints += 1) },
  });
  const deprovisioning: DeprovisionActivities = {
    ...real,
    deprovision: async (input) => {
      looks.push(await env.currentTimeMs());
      await real.deprovision(input);
    },
  };
  worker = await startFakeWorker(env.address, NAMESPACE, {
    planning: createPlanning({
      config,
      types: integrationTypes,
      deployment: DEPLOYMENT,
      door: createDoor(client),
      admission: createAdmission(client),
    }),
    deprovisioning,
  });
  session = { client, namespace: NAMESPACE, deployment: DEPLOYMENT, keptName: keepAsserted };
}, 60_000);

beforeEach(() => {
  looks = [];
  hints = 0;
});

afterAll(async () => {
  await worker.stop();
  await env.teardown();
});

function issue(ttl: string): Promise<Lease> {
  return issueLease(session, { ...REQUEST, ttl });
}

function view(leaseId: string): Promise<LeaseView> {
  return env.client.workflow.getHandle(leaseId).query(leaseQuery);
}

function outcome(leaseId: string): Promise<LeaseOutcome> {
  return env.client.workflow.getHandle(leaseId).result() as Promise<LeaseOutcome>;
}

async function sleepUntil(instant: number): Promise<void> {
  await env.sleep(instant - (await env.currentTimeMs()));
}

/** By when the session of a lease has ended for certain. */
function overAt({ expiresAt }: Lease): number {
  return expiresAt.getTime() + ISSUE_TIMEOUT + WINDOW;
}

test('a lease that is revoked is over when its session has ended, and not before; meanwhile it is not stuck', async () => {
  const lease = await issue('8h');
  await sleepUntil(lease.expiresAt.getTime() - 7 * HOUR);
  expect(await revokeLease(session, lease.leaseId, { reason: 'done' })).toMatchObject({ state: 'accepted' });
  for (const hours of [6, 3, 1]) {
    await sleepUntil(lease.expiresAt.getTime() - hours * HOUR);
    expect((await view(lease.leaseId)).state).toBe('deprovisioning');
  }
  await sleepUntil(overAt(lease) - 10_000);
  expect((await view(lease.leaseId)).state).toBe('deprovisioning');
  const end = await outcome(lease.leaseId);
  expect(end).toMatchObject({ state: 'revoked', reason: 'done', failure: null });
  expect(Date.parse(end.endedAt)).toBeGreaterThanOrEqual(overAt(lease));
  expect(Date.parse(end.endedAt)).toBeLessThan(overAt(lease) + MINUTE);
  expect(hints).toBe(0);
}, 60_000);

test('a lease that expires ends by itself as soon as its session is over', async () => {
  const lease = await issue('1h');
  const end = await outcome(lease.leaseId);
  expect(end).toMatchObject({ state: 'expired', failure: null });
  expect(Date.parse(end.endedAt)).toBeGreaterThanOrEqual(overAt(lease));
  expect(Date.parse(end.endedAt)).toBeLessThan(overAt(lease) + MINUTE);
});

test('a far end is looked for every five minutes, a near one more often', async () => {
  const lease = await issue('8h');
  await revokeLease(session, lease.leaseId);
  await outcome(lease.leaseId);
  const pauses = looks.slice(1).map((at, index) => Math.round((at - looks[index]!) / 1_000));
  expect(Math.max(...pauses)).toBeLessThanOrEqual(301);
  expect(pauses.filter((pause) => pause >= 299).length).toBeGreaterThan(pauses.length / 2);
  expect(looks.length).toBeLessThan(150);
  const { events } = await env.client.workflow.getHandle(lease.leaseId).fetchHistory();
  expect(events!.length).toBeLessThan(60);
}, 60_000);
