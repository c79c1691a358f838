import { Client } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { integrationTypes } from '../../activities/integrations/registry';
import { createAdmission } from '../../activities/admission';
import { createDoor } from '../../activities/door';
import { createPlanning } from '../../activities/planning';
import { revokeLease } from '../../client/end';
import { extendLease } from '../../client/extend';
import { issueLease } from '../../client/issue';
import type { Lease } from '../../client/leases';
import { keepAsserted } from '../../client/identity';
import type { Session } from '../../client/session';
import { parseConfig } from '../../config/load';
import { lease as leaseQuery, MAX_EXTENSIONS } from '../../workflows/contract';
import type { LeaseOutcome, LeaseView } from '../../workflows/contract';
import { INTEGRATION, startFakeWorker } from '../support/fake-worker';
import type { FakeWorker } from '../support/fake-worker';
import { REQUEST } from '../support/lab';
import { addSearchAttributes } from '../support/namespace';
import { provided } from '../support/stack';

// Time is skipped while a test sleeps in `env` or awaits an outcome, and passes as usual in between. It is one for all leases
// and never goes back: no two of them live at once, and no test compares it with the machine's.

const NAMESPACE = 'default';
const DEPLOYMENT = 'testdepl';
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** From so many events on Temporal warns of a workflow's history; it ends the workflow at five times as many. */
const WARNED_EVENTS = 10_240;

const CONFIG = `
version: 1
integrations:
  ${INTEGRATION}:
    type: aws_iam
    connection: { region: us-east-1 }
    timings: { stuck_after: 10m, consistency_window: 0s }
projects:
  backend:
    configs:
      prd:
        dynamic_secrets:
          S3_READER:
            integration: ${INTEGRATION}
            min_ttl: 1s
            max_ttl: 60d
            parameters: { policy_arns: ['arn:aws:iam::123456789012:policy/reader'] }
          YEARLY:
            integration: ${INTEGRATION}
            max_ttl: 365d
            parameters: { policy_arns: ['arn:aws:iam::123456789012:policy/reader'] }
`;

let env: TestWorkflowEnvironment;
let worker: FakeWorker;
/** The test server does not list search attributes, so that the library's own way to connect to it is barred. */
let session: Session;

beforeAll(async () => {
  env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: provided().testServer } },
  });
  await addSearchAttributes(env.connection, NAMESPACE);
  const config = parseConfig(CONFIG, integrationTypes, 'test.yaml');
  const client = new Client({ connection: env.connection, namespace: NAMESPACE });
  worker = await startFakeWorker(env.address, NAMESPACE, {
    planning: createPlanning({
      config,
      types: integrationTypes,
      deployment: DEPLOYMENT,
      door: createDoor(client),
      admission: createAdmission(client),
    }),
  });
  session = { client, namespace: NAMESPACE, deployment: DEPLOYMENT, keptName: keepAsserted };
}, 60_000);

afterEach(() => {
  worker.setDeprovision(null);
});

afterAll(async () => {
  await worker.stop();
  await env.teardown();
});

function issue(ttl: string, dynamicSecret: string = REQUEST.dynamicSecret): Promise<Lease> {
  return issueLease(session, { ...REQUEST, dynamicSecret, ttl });
}

function handle(leaseId: string): WorkflowHandle {
  return env.client.workflow.getHandle(leaseId);
}

function view(leaseId: string): Promise<LeaseView> {
  return handle(leaseId).query(leaseQuery);
}

/** Skips to the lease's end, whenever that is. */
function outcome(leaseId: string): Promise<LeaseOutcome> {
  return handle(leaseId).result() as Promise<LeaseOutcome>;
}

/** Skips to an instant. */
async function sleepUntil(instant: number): Promise<void> {
  await env.sleep(instant - (await env.currentTimeMs()));
}

/** How many milliseconds after an instant the only attempt to remove was begun. */
function removedAfter(leaseId: string, instant: Date): number {
  const removals = worker.removals(leaseId);
  expect(removals).toHaveLength(1);
  return removals[0]! - instant.getTime();
}

async function expectAlive(leaseId: string): Promise<void> {
  expect(worker.existing.has(leaseId)).toBe(true);
  expect(worker.removals(leaseId)).toEqual([]);
  expect((await view(leaseId)).state).toBe('active');
}

/** Begun at the expiry or after it, yet in the same breath: what is skipped would be minutes or days. */
async function expectExpiredAt(leaseId: string, expiry: Date): Promise<void> {
  expect(await outcome(leaseId)).toMatchObject({ state: 'expired', delivered: true, failure: null, endedBy: null });
  expect(worker.existing.has(leaseId)).toBe(false);
  const late = removedAfter(leaseId, expiry);
  expect(late).toBeGreaterThanOrEqual(0);
  expect(late).toBeLessThan(MINUTE);
}

test('a lease of 30 days is alive one minute before its expiry and ends at it', async () => {
  const lease = await issue('30d');
  const requested = Date.parse((await view(lease.leaseId)).requestedAt);
  expect(lease.expiresAt.getTime() - requested).toBeGreaterThanOrEqual(30 * DAY);
  await sleepUntil(lease.expiresAt.getTime() - MINUTE);
  await expectAlive(lease.leaseId);
  await expectExpiredAt(lease.leaseId, lease.expiresAt);
});

test('a lease of a second, the shortest that there is, ends to the moment', async () => {
  const lease = await issue('1s');
  await expectExpiredAt(lease.leaseId, lease.expiresAt);
});

test('a lease of a year, the longest that there is, is alive on its last day and ends to the moment', async () => {
  const lease = await issue('365d', 'YEARLY');
  await sleepUntil(lease.expiresAt.getTime() - DAY);
  await expectAlive(lease.leaseId);
  await expectExpiredAt(lease.leaseId, lease.expiresAt);
});

test('a lease extended half-way outlives its first expiry and ends at the new one', async () => {
  const lease = await issue('30d');
  await sleepUntil(lease.expiresAt.getTime() - 15 * DAY);
  const expiry = await extendLease(session, lease.leaseId, '30d');
  expect(expiry.getTime()).toBeGreaterThanOrEqual(lease.expiresAt.getTime() + 15 * DAY);
  await sleepUntil(lease.expiresAt.getTime() + DAY);
  await expectAlive(lease.leaseId);
  await sleepUntil(expiry.getTime() - MINUTE);
  await expectAlive(lease.leaseId);
  await expectExpiredAt(lease.leaseId, expiry);
});

test('a lease shortened on day 10 to one more day ends on day 11', async () => {
  const lease = await issue('30d');
  await sleepUntil(lease.expiresAt.getTime() - 20 * DAY);
  const expiry = await extendLease(session, lease.leaseId, '1d');
  expect(expiry.getTime()).toBeLessThan(lease.expiresAt.getTime() - 18 * DAY);
  await sleepUntil(expiry.getTime() - MINUTE);
  await expectAlive(lease.leaseId);
  await expectExpiredAt(lease.leaseId, expiry);
});

test('a lease revoked on day 20 ends then', async () => {
  const lease = await issue('30d');
  await sleepUntil(lease.expiresAt.getTime() - 10 * DAY);
  await expectAlive(lease.leaseId);
  const revocation = await revokeLease(session, lease.leaseId, { wait: true, reason: 'done on day 20' });
  expect(revocation).toMatchObject({ state: 'revoked', reason: 'done on day 20' });
  expect(worker.existing.has(lease.leaseId)).toBe(false);
  expect(Math.abs(removedAfter(lease.leaseId, lease.expiresAt) + 10 * DAY)).toBeLessThan(HOUR);
});

test('the maximum TTL is allowed and one second more is not, at issue and in all that is added later', async () => {
  await expect(issue('60d1s')).rejects.toMatchObject({ code: 'InvalidTtl' });
  const lease = await issue('60d');
  await sleepUntil(lease.expiresAt.getTime() - 20 * DAY);
  await expect(extendLease(session, lease.leaseId, '60d')).rejects.toMatchObject({ code: 'InvalidTtl' });
  await expect(extendLease(session, lease.leaseId, '20d1m')).rejects.toMatchObject({ code: 'InvalidTtl' });
  const expiry = await extendLease(session, lease.leaseId, '19d23h59m');
  expect(expiry.getTime()).toBeLessThanOrEqual(lease.expiresAt.getTime());
  await expectExpiredAt(lease.leaseId, expiry);
});

test('a lease extended every hour is extended 500 times, within bounds of history, and ends after the last', async () => {
  const lease = await issue('2h');
  let expiry = lease.expiresAt;
  for (let extension = 0; extension < MAX_EXTENSIONS; extension += 1) {
    await env.sleep(HOUR);
    expiry = await extendLease(session, lease.leaseId, '2h');
  }
  await expect(extendLease(session, lease.leaseId, '2h')).rejects.toMatchObject({ code: 'ExtensionLimit' });
  expect((await view(lease.leaseId)).extensions).toBe(MAX_EXTENSIONS);
  expect(expiry.getTime() - lease.expiresAt.getTime()).toBeGreaterThanOrEqual(MAX_EXTENSIONS * HOUR);
  await sleepUntil(expiry.getTime() - MINUTE);
  await expectAlive(lease.leaseId);
  await expectExpiredAt(lease.leaseId, expiry);
  expect((await handle(lease.leaseId).describe()).historyLength).toBeLessThan(WARNED_EVENTS);
}, 240_000);

test('a removal that fails for three days is retried every five minutes, is called stuck, and ends the lease at last', async () => {
  const lease = await issue('1h');
  const expiry = lease.expiresAt.getTime();
  const recovery = expiry + 3 * DAY;
  const attempts: number[] = [];
  worker.setDeprovision(async () => {
    const now = await env.currentTimeMs();
    attempts.push(now);
    if (now < recovery) throw ApplicationFailure.create({ type: 'Unavailable', message: 'No usable answer.' });
  });
  await sleepUntil(expiry + 9 * MINUTE);
  expect((await view(lease.leaseId)).state).toBe('deprovisioning');
  await sleepUntil(expiry + 11 * MINUTE);
  expect((await view(lease.leaseId)).state).toBe('stuck');
  await sleepUntil(recovery - MINUTE);
  expect((await view(lease.leaseId)).state).toBe('stuck');
  expect(worker.existing.has(lease.leaseId)).toBe(true);
  expect(await outcome(lease.leaseId)).toMatchObject({ state: 'expired', failure: null });
  expect(worker.existing.has(lease.leaseId)).toBe(false);

  expect(attempts[0]).toBeGreaterThanOrEqual(expiry);
  const pauses = attempts.slice(1).map((at, index) => Math.round((at - attempts[index]!) / SECOND));
  expect(pauses.slice(0, 9)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256]);
  expect(new Set(pauses.slice(9))).toEqual(new Set([300]));
  expect(attempts.at(-1)).toBeLessThan(recovery + 6 * MINUTE);
  const { events } = await handle(lease.leaseId).fetchHistory();
  expect(events!.length).toBeLessThan(100);
}, 60_000);
