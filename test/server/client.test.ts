import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { connectLeases, generateRecipient } from '../../client/temporal';
import type { ConnectedLeases, LeaseError } from '../../client/temporal';
import { seal } from '../../sealing/seal';
import type { LeaseOutcome } from '../../workflows/contract';
import { FAKE_CREDENTIAL, startFakeWorker } from '../support/fake-worker';
import type { FakeWorker } from '../support/fake-worker';
import { createNamespace } from '../support/namespace';
import { provided } from '../support/stack';

// A worker that is stopped waits for its pollers, which takes seconds on a busy machine.
jest.setTimeout(30_000);

const REQUEST = {
  project: 'backend',
  config: 'prd',
  dynamicSecret: 'S3_UPLOADS',
  holder: 'tester',
  ttl: '10m',
} as const;

let connection: Connection;
let client: Client;
let namespace: string;
let leases: ConnectedLeases;
let worker: FakeWorker;

beforeAll(async () => {
  const { address } = provided().temporal;
  connection = await Connection.connect({ address });
  namespace = await createNamespace(connection);
  client = new Client({ connection, namespace });
  leases = await connectLeases({ connection, namespace });
  worker = await startFakeWorker(address, namespace);
}, 60_000);

afterEach(() => {
  worker.setProvision(null);
  worker.setDeprovision(null);
});

afterAll(async () => {
  await worker.stop();
  await leases.close();
  await connection.close();
});

async function failureOf(issued: Promise<unknown>): Promise<LeaseError> {
  return issued.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => error as LeaseError,
  );
}

function outcomeOf(leaseId: string): Promise<LeaseOutcome> {
  return client.workflow.getHandle(leaseId).result() as Promise<LeaseOutcome>;
}

/** Holds every provision until it is let go; tells the lease that waits. */
function holdProvision(): { readonly held: Promise<string>; readonly letGo: () => void } {
  let tell: (leaseId: string) => void;
  let letGo = (): void => undefined;
  const held = new Promise<string>((resolve) => (tell = resolve));
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  worker.setProvision(async (input, usual) => {
    tell(input.leaseId);
    await gate;
    return usual();
  });
  return {
    held,
    letGo: () => {
      letGo();
    },
  };
}

test('a lease is issued, extended, revoked, and each is seen by get', async () => {
  const lease = await leases.issue(REQUEST);
  expect({ ...lease.credential }).toEqual(FAKE_CREDENTIAL);
  expect(lease.facts).toEqual({ arn: 'arn:fake' });
  expect(Math.abs(lease.expiresAt.getTime() - Date.now() - 600_000)).toBeLessThan(10_000);
  expect(await leases.get(lease.leaseId)).toMatchObject({
    state: 'active',
    project: 'backend',
    config: 'prd',
    dynamicSecret: 'S3_UPLOADS',
    integration: 'fake',
    holder: 'library:tester',
    entity: `fake-${lease.leaseId}`,
    expiresAt: lease.expiresAt,
    endedAt: null,
  });
  const later = await lease.extend('20m');
  expect((await leases.get(lease.leaseId)).expiresAt).toEqual(later);
  await expect(lease.extend('2h')).rejects.toMatchObject({ code: 'InvalidTtl', leaseId: lease.leaseId });
  expect(await lease.revoke({ reason: 'done', wait: true })).toMatchObject({ state: 'revoked', reason: 'done' });
  expect(worker.existing.has(lease.leaseId)).toBe(false);
  expect(await leases.get(lease.leaseId)).toMatchObject({
    state: 'revoked',
    endedBy: 'library:tester',
    reason: 'done',
  });
  await expect(lease.extend('5m')).rejects.toMatchObject({ code: 'LeaseEnded', state: 'revoked' });
});

test('a lease does not show its credential, however it is printed', async () => {
  const lease = await leases.issue(REQUEST);
  const shown = [
    inspect(lease, { depth: 10, showHidden: true }),
    JSON.stringify(lease),
    JSON.stringify({ ...lease }),
    inspect(lease.credential),
  ];
  for (const text of shown) expect(text).not.toContain('canary');
  expect(inspect(lease.credential)).toContain('SECRET_ACCESS_KEY');
  await lease.revoke();
});

test('a revoke says revoked only after the removal, and repeats are answered alike', async () => {
  const lease = await leases.issue(REQUEST);
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  worker.setDeprovision(() => gate);
  expect(await lease.revoke()).toMatchObject({ state: 'accepted', endedAt: null });
  await expect(leases.revoke(lease.leaseId, { wait: 300 })).rejects.toMatchObject({ code: 'Timeout' });
  const waited = Promise.all(Array.from({ length: 10 }, () => leases.revoke(lease.leaseId, { wait: true })));
  letGo();
  for (const answer of await waited) expect(answer).toMatchObject({ state: 'revoked' });
  expect(await leases.revoke(lease.leaseId)).toMatchObject({ state: 'revoked' });
});

test('a revoke of a lease that has expired answers how it ended', async () => {
  const lease = await leases.issue({ ...REQUEST, ttl: '1s' });
  await outcomeOf(lease.leaseId);
  expect(await leases.revoke(lease.leaseId, { wait: true })).toMatchObject({ state: 'expired', endedBy: null });
});

test('a terminated lease is not called revoked', async () => {
  const lease = await leases.issue(REQUEST);
  await client.workflow.getHandle(lease.leaseId).terminate();
  await expect(leases.revoke(lease.leaseId, { wait: true })).rejects.toMatchObject({
    code: 'LeaseEnded',
    state: 'terminated',
  });
  await expect(lease.extend('5m')).rejects.toMatchObject({ code: 'LeaseEnded', state: 'terminated' });
  expect(await leases.get(lease.leaseId)).toMatchObject({ state: 'terminated' });
});

test('an aborted issue is revoked before the caller hears of it', async () => {
  const { held, letGo } = holdProvision();
  const controller = new AbortController();
  const failure = failureOf(leases.issue({ ...REQUEST, signal: controller.signal }));
  const leaseId = await held;
  controller.abort();
  expect(await failure).toMatchObject({ code: 'Aborted', leaseId, undelivered: 'revoke accepted' });
  letGo();
  expect(await outcomeOf(leaseId)).toMatchObject({ state: 'revoked', delivered: false, reason: 'undelivered' });
  expect(worker.existing.has(leaseId)).toBe(false);
});

test('an issue that was aborted before it began starts nothing', async () => {
  const before = await client.workflow.count();
  const failure = await failureOf(leases.issue({ ...REQUEST, signal: AbortSignal.abort() }));
  expect(failure).toMatchObject({ code: 'Aborted', undelivered: 'nothing started' });
  expect((await client.workflow.count()).count).toBe(before.count);
});

test('an issue that takes too long is revoked, and the error says which lease', async () => {
  const { held, letGo } = holdProvision();
  const failure = failureOf(leases.issue({ ...REQUEST, timeoutMs: 3_000 }));
  const leaseId = await held;
  expect(await failure).toMatchObject({ code: 'IssueTimeout', leaseId, undelivered: 'revoke accepted' });
  expect((await failure).message).toContain('was not issued within 3s');
  letGo();
  expect(await outcomeOf(leaseId)).toMatchObject({ state: 'revoked', delivered: false });
});

test('without a worker an issue ends with a hint, and its lease makes nothing once a worker comes', async () => {
  const empty = await createNamespace(connection);
  const lonely = await connectLeases({ connection, namespace: empty });
  const failure = await failureOf(lonely.issue({ ...REQUEST, timeoutMs: 2_000 }));
  expect(failure).toMatchObject({ code: 'IssueTimeout', undelivered: 'revoke accepted' });
  expect(failure.message).toContain(`No worker answered within 2s; is a worker running for namespace "${empty}"?`);
  const late = await startFakeWorker(provided().temporal.address, empty);
  try {
    const handle = new Client({ connection, namespace: empty }).workflow.getHandle(failure.leaseId!);
    expect(await handle.result()).toMatchObject({ state: 'revoked', delivered: false });
    expect(late.made(failure.leaseId!)).toBe(0);
  } finally {
    await late.stop();
  }
});

test('a credential that was sealed for another lease is refused, and the lease is revoked', async () => {
  worker.setProvision(async (input, usual) => ({
    ...(await usual()),
    sealed: await seal(FAKE_CREDENTIAL, input.recipient, 'a'.repeat(24)),
  }));
  const failure = await failureOf(leases.issue(REQUEST));
  expect(failure).toMatchObject({ code: 'SealingFailed', undelivered: 'revoke accepted' });
  expect(failure.message).not.toContain('canary');
  expect(await outcomeOf(failure.leaseId!)).toMatchObject({ state: 'revoked' });
  expect(worker.existing.has(failure.leaseId!)).toBe(false);
});

test('one idempotency key and key pair give one lease, at once and again, until it ends', async () => {
  const request = { ...REQUEST, idempotencyKey: randomUUID(), recipient: await generateRecipient() };
  const issued = await Promise.all([leases.issue(request), leases.issue(request), leases.issue(request)]);
  issued.push(await leases.issue(request));
  expect(new Set(issued.map(({ leaseId }) => leaseId)).size).toBe(1);
  const [lease] = issued;
  expect(worker.made(lease.leaseId)).toBe(1);
  await expect(leases.issue({ ...request, ttl: '11m' })).rejects.toMatchObject({ code: 'IdempotencyMismatch' });
  const otherPair = { ...request, recipient: await generateRecipient() };
  await expect(leases.issue(otherPair)).rejects.toMatchObject({ code: 'AlreadyIssued', leaseId: lease.leaseId });
  await lease.revoke({ wait: true });
  for (const again of [request, otherPair]) {
    await expect(leases.issue(again)).rejects.toMatchObject({
      code: 'LeaseEnded',
      leaseId: lease.leaseId,
      state: 'revoked',
    });
  }
  expect(worker.made(lease.leaseId)).toBe(1);
});

test.each(['same', 'other'])('a failed lease frees its idempotency key for the %s key pair', async (pair) => {
  const request = { ...REQUEST, idempotencyKey: randomUUID(), recipient: await generateRecipient() };
  worker.setProvision(() => Promise.reject(refusedByProvider()));
  const failure = await failureOf(leases.issue(request));
  expect(failure).toMatchObject({ code: 'Refused', message: 'The provider refused.' });
  await outcomeOf(failure.leaseId!);
  worker.setProvision(null);
  const otherPair = { ...request, recipient: await generateRecipient() };
  const lease = await leases.issue(pair === 'same' ? request : otherPair);
  expect(lease.leaseId).toBe(failure.leaseId);
  expect(worker.made(lease.leaseId)).toBe(1);
  await lease.revoke({ wait: true });
});

test('while the lease of an idempotency key is being removed it is not handed out, and says so', async () => {
  const request = { ...REQUEST, idempotencyKey: randomUUID(), recipient: await generateRecipient() };
  const lease = await leases.issue(request);
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  worker.setDeprovision(() => gate);
  await lease.revoke();
  while ((await leases.get(lease.leaseId)).state === 'active') await new Promise((resolve) => setTimeout(resolve, 20));
  const otherPair = { ...request, recipient: await generateRecipient() };
  for (const again of [request, otherPair]) {
    await expect(leases.issue(again)).rejects.toMatchObject({ code: 'LeaseEnded', state: 'deprovisioning' });
  }
  letGo();
  await outcomeOf(lease.leaseId);
});

test('a caller that aborts after joining leaves the lease to the one who started it', async () => {
  const request = { ...REQUEST, idempotencyKey: randomUUID(), recipient: await generateRecipient() };
  const { held, letGo } = holdProvision();
  const first = leases.issue(request);
  await held;
  const controller = new AbortController();
  const joined = failureOf(leases.issue({ ...request, signal: controller.signal }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  controller.abort();
  expect(await joined).toMatchObject({ code: 'Aborted', undelivered: 'left alone' });
  letGo();
  const lease = await first;
  expect(await leases.get(lease.leaseId)).toMatchObject({ state: 'active' });
  await lease.revoke();
});

test('an aborted issue with an idempotency key is revoked and frees the key', async () => {
  const request = { ...REQUEST, idempotencyKey: randomUUID() };
  const { held, letGo } = holdProvision();
  const controller = new AbortController();
  const failure = failureOf(leases.issue({ ...request, signal: controller.signal }));
  const leaseId = await held;
  controller.abort();
  expect(await failure).toMatchObject({ code: 'Aborted', leaseId, undelivered: 'revoke accepted' });
  letGo();
  worker.setProvision(null);
  expect(await outcomeOf(leaseId)).toMatchObject({ state: 'revoked', delivered: false });
  const lease = await leases.issue(request);
  expect(lease.leaseId).toBe(leaseId);
  expect({ ...lease.credential }).toEqual(FAKE_CREDENTIAL);
  await lease.revoke({ wait: true });
});

test.each(['same', 'other'])(
  'a repeat by the %s key pair that comes while an aborted issue is still removed waits for that, and is issued',
  async (pair) => {
    const request = { ...REQUEST, idempotencyKey: randomUUID(), recipient: await generateRecipient() };
    const again = pair === 'same' ? request : { ...request, recipient: await generateRecipient() };
    const { held, letGo } = holdProvision();
    const controller = new AbortController();
    const failure = failureOf(leases.issue({ ...request, signal: controller.signal }));
    const leaseId = await held;
    controller.abort();
    expect(await failure).toMatchObject({ undelivered: 'revoke accepted' });
    const repeated = leases.issue(again);
    await new Promise((resolve) => setTimeout(resolve, 200));
    worker.setProvision(null);
    letGo();
    const lease = await repeated;
    expect(lease.leaseId).toBe(leaseId);
    expect(await leases.get(leaseId)).toMatchObject({ state: 'active' });
    expect(worker.existing.has(leaseId)).toBe(true);
    await lease.revoke({ wait: true });
  },
);

test('a caller with a kept key pair that aborts what it started revokes it', async () => {
  const request = { ...REQUEST, idempotencyKey: randomUUID(), recipient: await generateRecipient() };
  const { held, letGo } = holdProvision();
  const controller = new AbortController();
  const failure = failureOf(leases.issue({ ...request, signal: controller.signal }));
  const leaseId = await held;
  controller.abort();
  expect(await failure).toMatchObject({ code: 'Aborted', leaseId, undelivered: 'revoke accepted' });
  letGo();
  expect(await outcomeOf(leaseId)).toMatchObject({ state: 'revoked', delivered: false });
  expect(worker.existing.has(leaseId)).toBe(false);
});

test('a terminated lease keeps its idempotency key', async () => {
  const request = { ...REQUEST, idempotencyKey: randomUUID() };
  const lease = await leases.issue(request);
  await client.workflow.getHandle(lease.leaseId).terminate();
  await expect(leases.issue(request)).rejects.toMatchObject({ code: 'LeaseEnded', state: 'terminated' });
});

test('a server that cannot be reached gives an error that says where and how that is set, and no hang', async () => {
  const lost = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: 300, apiKey: 'canary-api-key' });
  const failure = await failureOf(connectLeases({ connection: lost, namespace: 'mine' }));
  await lost.close();
  expect(failure.name).toBe('TemporalError');
  expect(failure.message).toMatch(/No connection to Temporal at 127.0.0.1:1 .*"mine".*TEMPORAL_ADDRESS/);
  expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain('canary');
});

function refusedByProvider(): Error {
  return ApplicationFailure.create({ type: 'Refused', message: 'The provider refused.', nonRetryable: true });
}
