import { WithStartWorkflowOperation } from '@temporalio/client';
import { calculateJwkThumbprint } from 'jose';
import { LEASE_WORKFLOW, WORKFLOW_QUEUE } from '../../workflows/contract';
import { REQUEST, useLab } from '../support/lab';
import type { Lab } from '../support/lab';

let lab: Lab;

useLab(async (opened) => {
  lab = opened;
  await lab.startWorker();
});

async function workflows(): Promise<number> {
  return (await lab.client.workflow.count()).count;
}

test.each([
  'x'.repeat(5_000),
  'Дед Мороз 🎅 <script>alert(1)</script>',
  `"; DROP TABLE leases; -- ' \\ " OR LeaseState="active`,
  '../../etc/passwd',
  '${jndi:ldap://x}',
  'a'.repeat(199) + '\u{1F511}',
])('holder %j gets a lease under a name that the provider accepts, and is found by it', async (holder) => {
  const lease = await lab.leases.issue({ ...REQUEST, holder, ttl: '10m' });
  const [user] = await lab.aws.usersLike(lease.leaseId);
  expect(user).toMatch(/^leasehold-[a-z2-7]{8}-[a-z2-7]{24}$/);
  const view = await lab.view(lease.leaseId);
  expect(Buffer.byteLength(view.holder)).toBeLessThanOrEqual(200);
  await lease.revoke({ reason: holder, wait: true });
  const found: string[] = [];
  for await (const one of lab.leases.list({ holder: view.holder })) found.push(one.leaseId);
  expect(found).toEqual([lease.leaseId]);
});

test.each(['0', '0s', '-5m', '1.5', '1.5s', 'NaN', '1e9', 'soon', '', ' 5m', '5 m', '5x', '9999999d', '10m10m'])(
  'TTL %j is refused with what is allowed, and nothing is started',
  async (ttl) => {
    const before = await workflows();
    await expect(lab.leases.issue({ ...REQUEST, ttl })).rejects.toMatchObject({ code: 'InvalidTtl' });
    expect(await workflows()).toBe(before);
  },
);

test.each([0, -1, 1.5, NaN, Infinity, 1e9, Number.MAX_SAFE_INTEGER, null, {}, [], true])(
  'TTL %p is refused',
  async (ttl) => {
    await expect(lab.leases.issue({ ...REQUEST, ttl: ttl as never })).rejects.toMatchObject({ code: 'InvalidTtl' });
  },
);

test('a TTL outside the range of the dynamic secret is refused with the range, and nothing is made', async () => {
  lab.proxy.forget();
  for (const ttl of ['61m', '7d']) {
    await expect(lab.leases.issue({ ...REQUEST, ttl })).rejects.toMatchObject({
      code: 'InvalidTtl',
      message: expect.stringMatching(/1s.*1h/),
    });
  }
  expect(lab.proxy.calls).toEqual([]);
});

test.each([
  [{ project: '' }],
  [{ project: 'BACKEND' }],
  [{ project: 'a/b' }],
  [{ config: 'x'.repeat(65) }],
  [{ config: '__proto__' }],
  [{ dynamicSecret: 's3' }],
  [{ dynamicSecret: 'NO\nSUCH' }],
  [{ holder: '' }],
  [{ holder: 'a\u0000b' }],
  [{ idempotencyKey: '' }],
  [{ idempotencyKey: 'x'.repeat(256) }],
])('%j is refused with one clear error, and nothing is made', async (change) => {
  lab.proxy.forget();
  const before = await workflows();
  await expect(lab.leases.issue({ ...REQUEST, ...change })).rejects.toMatchObject({
    code: expect.stringMatching(/^(InvalidInput|UnknownDynamicSecret)$/),
  });
  expect(lab.proxy.calls).toEqual([]);
  expect(await workflows()).toBeLessThanOrEqual(before + 1);
});

test('a dynamic secret that is not configured is refused by name', async () => {
  await expect(lab.leases.issue({ ...REQUEST, dynamicSecret: 'NOT_THERE' })).rejects.toMatchObject({
    code: 'UnknownDynamicSecret',
    message: expect.stringContaining('NOT_THERE'),
  });
  await expect(lab.leases.issue({ ...REQUEST, config: 'constructor' })).rejects.toMatchObject({
    code: 'UnknownDynamicSecret',
  });
});

test('a workflow started by hand with junk fails at once instead of hanging, and makes nothing', async () => {
  lab.proxy.forget();
  for (const args of [[], [null], ['x'], [{}], [{ project: 5 }]]) {
    const handle = await lab.client.workflow.start(LEASE_WORKFLOW, {
      workflowId: `junk-${Math.random()}`,
      taskQueue: WORKFLOW_QUEUE,
      args,
    });
    await expect(handle.result()).rejects.toThrow();
  }
  expect(lab.proxy.calls).toEqual([]);
});

test.each([
  ['a key that is too short', { kty: 'OKP', crv: 'X25519', x: 'AA' }],
  ['a point that is not on its curve', { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: `${'B'.repeat(42)}A` }],
  ['a private key', { kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43), d: 'A'.repeat(43) }],
  ['no key', {}],
])('a lease asked for past the client with %s makes nothing', async (_, recipient) => {
  lab.proxy.forget();
  const input = {
    ...REQUEST,
    ttlMs: 60_000,
    holder: 'x',
    // The right one, where there is one: it must not be the thumbprint that stops it.
    thumbprint: 'x' in recipient ? await calculateJwkThumbprint(recipient) : 't',
    recipient,
  };
  const startWorkflowOperation = new WithStartWorkflowOperation(LEASE_WORKFLOW, {
    workflowId: 'a'.repeat(24),
    taskQueue: WORKFLOW_QUEUE,
    workflowIdConflictPolicy: 'FAIL',
    args: [input],
  });
  const claimed = lab.client.workflow.executeUpdateWithStart('claim', {
    startWorkflowOperation,
    args: [{ thumbprint: input.thumbprint, ttlMs: 60_000 }],
  });
  await expect(claimed).rejects.toThrow();
  expect(lab.proxy.calls).toEqual([]);
});

test('unknown leases are not found', async () => {
  const unknown = 'z'.repeat(24);
  await expect(lab.leases.get(unknown)).rejects.toMatchObject({ code: 'LeaseNotFound' });
  await expect(lab.leases.revoke(unknown)).rejects.toMatchObject({ code: 'LeaseNotFound' });
  await expect(lab.leases.extend(unknown, '5m')).rejects.toMatchObject({ code: 'LeaseNotFound' });
  await expect(lab.leases.get('../x')).rejects.toMatchObject({
    code: expect.stringMatching(/InvalidInput|LeaseNotFound/),
  });
});
