import { randomUUID } from 'node:crypto';
import { generateRecipient } from '../../sealing/recipient';
import { eventually, REQUEST, useLab } from '../support/lab';
import type { Lab } from '../support/lab';

let lab: Lab;

useLab(async (opened) => {
  lab = opened;
  await lab.startWorker();
});

function created(leaseId: string): number {
  return lab.proxy.calls.filter(
    (call) => call.operation === 'CreateAccessKey' && call.parameters.get('UserName')!.includes(leaseId),
  ).length;
}

test('one idempotency key and one key pair give one lease and the same credential again', async () => {
  const request = { ...REQUEST, ttl: '10m', idempotencyKey: randomUUID(), recipient: await generateRecipient() };
  const leases = await Promise.all([lab.leases.issue(request), lab.leases.issue(request), lab.leases.issue(request)]);
  const again = await lab.leases.issue(request);
  expect(new Set([...leases, again].map((lease) => lease.leaseId)).size).toBe(1);
  expect(again.credential).toEqual(leases[0].credential);
  expect(created(again.leaseId)).toBe(1);
  await again.revoke({ wait: true });
});

test('another key pair under the same idempotency key is told that the lease was issued, and to whom it belongs', async () => {
  const request = { ...REQUEST, ttl: '10m', idempotencyKey: randomUUID() };
  const lease = await lab.leases.issue(request);
  await expect(lab.leases.issue(request)).rejects.toMatchObject({ code: 'AlreadyIssued', leaseId: lease.leaseId });
  expect(await lab.aws.identity(lease.credential)).toBe('ok');
  expect(created(lease.leaseId)).toBe(1);
  await lease.revoke({ wait: true });
});

test('other parameters under the same idempotency key are a mismatch', async () => {
  const request = { ...REQUEST, ttl: '10m', idempotencyKey: randomUUID(), recipient: await generateRecipient() };
  const lease = await lab.leases.issue(request);
  await expect(lab.leases.issue({ ...request, ttl: '11m' })).rejects.toMatchObject({ code: 'IdempotencyMismatch' });
  await lease.revoke({ wait: true });
});

test('an idempotency key belongs to its holder and to what is leased', async () => {
  const request = { ...REQUEST, ttl: '10m', idempotencyKey: randomUUID() };
  const mine = await lab.leases.issue(request);
  const theirs = await lab.leases.issue({ ...request, holder: 'another' });
  expect(theirs.leaseId).not.toBe(mine.leaseId);
  await Promise.all([mine.revoke({ wait: true }), theirs.revoke({ wait: true })]);
});

test('after the end the same idempotency key makes no second credential', async () => {
  const request = { ...REQUEST, ttl: '10m', idempotencyKey: randomUUID(), recipient: await generateRecipient() };
  const lease = await lab.leases.issue(request);
  await lease.revoke({ wait: true });
  await expect(lab.leases.issue(request)).rejects.toMatchObject({ code: 'LeaseEnded', leaseId: lease.leaseId });
  const { recipient: _, ...otherPair } = request;
  await expect(lab.leases.issue(otherPair)).rejects.toMatchObject({ code: 'LeaseEnded' });
  expect(created(lease.leaseId)).toBe(1);
});

test('while it is being removed the lease is not handed out again', async () => {
  const request = { ...REQUEST, ttl: '10m', idempotencyKey: randomUUID(), recipient: await generateRecipient() };
  const lease = await lab.leases.issue(request);
  lab.proxy.fault({ operation: 'DeleteUser', kind: 'html-503', times: 1_000 });
  await lease.revoke({});
  await lab.until(lease.leaseId, 'deprovisioning', 'stuck');
  await expect(lab.leases.issue(request)).rejects.toMatchObject({ code: 'LeaseEnded' });
  lab.proxy.clearFaults();
  await lab.handle(lease.leaseId).signal('nudge');
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'revoked' });
}, 30_000);

test('a lease that failed frees its idempotency key', async () => {
  const request = { ...REQUEST, ttl: '10m', idempotencyKey: randomUUID() };
  lab.proxy.fault({ operation: 'CreateUser', kind: 'error', status: 403, code: 'AccessDenied' });
  await expect(lab.leases.issue(request)).rejects.toMatchObject({ code: 'Refused' });
  const lease = await lab.leases.issue(request);
  expect(await lab.aws.identity(lease.credential)).toBe('ok');
  await lease.revoke({ wait: true });
});

test('a lease that was revoked before anyone had its credential frees its idempotency key', async () => {
  const request = { ...REQUEST, ttl: '10m', idempotencyKey: randomUUID() };
  let leaseId = '';
  lab.proxy.setOnCall(async (operation, phase, call) => {
    if (operation !== 'CreateAccessKey' || phase !== 'before' || leaseId !== '') return;
    leaseId = call.parameters.get('UserName')!.split('-').at(-1)!;
    await lab.handle(leaseId).signal('revoke');
  });
  await expect(lab.leases.issue(request)).rejects.toMatchObject({ code: 'LeaseEnded' });
  await eventually(async () => (await lab.leases.get(leaseId)).state === 'revoked', 'the lease to end');
  const lease = await lab.leases.issue(request);
  expect(lease.leaseId).toBe(leaseId);
  expect(await lab.aws.identity(lease.credential)).toBe('ok');
  await lease.revoke({ wait: true });
});
