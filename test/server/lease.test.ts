import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually, pause, REQUEST, useLab } from '../support/lab';
import type { Lab } from '../support/lab';
import { provided } from '../support/stack';

const run = promisify(execFile);

/** Temporal's number for it. */
const UPDATE_COMPLETED = 3;

let lab: Lab;

useLab(async (opened) => {
  lab = opened;
  await lab.startWorker();
});

async function userOf(leaseId: string): Promise<string | undefined> {
  return (await lab.aws.usersLike(leaseId))[0];
}

test('a leased key works until the TTL ends, not longer and not shorter', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '4s' });
  expect(await lab.aws.identity(lease.credential)).toBe('ok');
  expect(await lab.aws.buckets(lease.credential)).toBe('ok');
  await pause(lease.expiresAt.getTime() - Date.now() - 700);
  expect(await lab.aws.identity(lease.credential)).toBe('ok');
  const outcome = await lab.outcome(lease.leaseId);
  expect(outcome).toMatchObject({ state: 'expired', delivered: true, failure: null });
  expect(Date.parse(outcome.endedAt)).toBeGreaterThanOrEqual(lease.expiresAt.getTime());
  expect(await lab.aws.identity(lease.credential)).toBe('InvalidClientTokenId');
  expect(await lab.aws.buckets(lease.credential)).toBe('InvalidAccessKeyId');
  expect(await userOf(lease.leaseId)).toBeUndefined();
});

test('a revoke ends a lease before its time and says so only when the user is gone', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '30m' });
  const outcome = await lease.revoke({ reason: 'done early', wait: true });
  expect(outcome).toMatchObject({ state: 'revoked' });
  expect(await lab.aws.identity(lease.credential)).toBe('InvalidClientTokenId');
  expect(await userOf(lease.leaseId)).toBeUndefined();
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ reason: 'done early', endedBy: 'library:tester' });
});

test('revoking ten times at once ends the lease once', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '30m' });
  const answers = await Promise.all(Array.from({ length: 10 }, () => lab.leases.revoke(lease.leaseId, { wait: true })));
  for (const answer of answers) expect(answer).toMatchObject({ state: 'revoked' });
  const deletions = lab.proxy.calls.filter(
    (call) => call.operation === 'DeleteUser' && call.parameters.get('UserName')?.includes(lease.leaseId),
  );
  expect(deletions).toHaveLength(1);
  expect(await lab.leases.revoke(lease.leaseId, { wait: true })).toMatchObject({ state: 'revoked' });
});

test.each([
  ['no input', []],
  ['null', [null]],
  ['a string', ['key seen in a log']],
  ['a number', [7]],
  ['a list', [[{ by: 'x' }]]],
])('a revoke signal with %s revokes', async (_, args) => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '30m' });
  await lab.handle(lease.leaseId).signal('revoke', ...args);
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'revoked', endedBy: 'unknown' });
  expect(await lab.aws.identity(lease.credential)).not.toBe('ok');
});

test.each([
  ['an encoding that this SDK does not know', 'json/protobuf', '{"by":"ada"}'],
  ['broken JSON', 'json/plain', '{{{'],
])('a revoke signal with %s revokes', async (_, encoding, data) => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '30m' });
  await lab.client.workflowService.signalWorkflowExecution({
    namespace: lab.namespace,
    workflowExecution: { workflowId: lease.leaseId },
    signalName: 'revoke',
    input: { payloads: [{ metadata: { encoding: Buffer.from(encoding) }, data: Buffer.from(data) }] },
  });
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'revoked', endedBy: 'unknown' });
  expect(await lab.aws.identity(lease.credential)).not.toBe('ok');
});

test('an extension that cannot be read is refused, and the lease goes on', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '30m' });
  const answer = await lab.client.workflowService.updateWorkflowExecution({
    namespace: lab.namespace,
    workflowExecution: { workflowId: lease.leaseId },
    waitPolicy: { lifecycleStage: UPDATE_COMPLETED as never },
    request: {
      meta: { updateId: 'unreadable' },
      input: {
        name: 'extend',
        args: { payloads: [{ metadata: { encoding: Buffer.from('json/protobuf') }, data: Buffer.from('{}') }] },
      },
    },
  });
  expect(answer.outcome?.failure?.message).toMatch(/positive whole number/);
  expect((await lab.view(lease.leaseId)).state).toBe('active');
  await lease.revoke({ wait: true });
});

test('revoke works from the temporal command line without input', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '30m' });
  const at = ['--address', lab.address, '--namespace', lab.namespace];
  await run(provided().tools.temporal, ['workflow', 'signal', '--name', 'revoke', '-w', lease.leaseId, ...at]);
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'revoked', endedBy: 'unknown' });
});

test('a cancel from the Web UI is a revoke: the lease completes with its outcome and the user is gone', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '30m' });
  await lab.handle(lease.leaseId).cancel();
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'revoked', reason: 'cancelled in Temporal' });
  expect((await lab.handle(lease.leaseId).describe()).status.name).toBe('COMPLETED');
  expect(await userOf(lease.leaseId)).toBeUndefined();
});

test.each(['revoke', 'cancel'] as const)(
  'a %s while the user is being made hands no credential over and leaves nothing',
  async (how) => {
    for (const operation of ['CreateUser', 'PutUserPolicy', 'CreateAccessKey', 'GetCallerIdentity']) {
      let made = '';
      let seen = '';
      lab.proxy.setOnCall(async (called, phase, call) => {
        if (called === 'CreateUser') made = call.parameters.get('UserName')!;
        if (called !== operation || phase !== 'after' || seen !== '') return;
        seen = made;
        const leaseId = seen.split('-').at(-1)!;
        if (how === 'revoke') await lab.handle(leaseId).signal('revoke');
        else await lab.handle(leaseId).cancel();
      });
      await expect(lab.leases.issue({ ...REQUEST, ttl: '30m' })).rejects.toMatchObject({ code: 'LeaseEnded' });
      const leaseId = seen.split('-').at(-1)!;
      expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked', delivered: false });
      expect(await lab.aws.user(seen)).toBeNull();
    }
  },
  60_000,
);

test('an operator reads state, holder, entity and expiry from the search attributes and the page', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '30m' });
  const [listed] = await collect(lab.leases.list({ state: 'active', holder: 'library:tester' }), lease.leaseId);
  expect(listed).toMatchObject({
    leaseId: lease.leaseId,
    project: 'backend',
    dynamicSecret: 'S3_READER',
    integration: 'aws',
  });
  const details = await lab.handle(lease.leaseId).query<{ currentDetails: string }>('__temporal_workflow_metadata');
  expect(JSON.stringify(details)).toContain('**active**');
  const view = await lab.view(lease.leaseId);
  expect(view.entity).toBe(await userOf(lease.leaseId));
  expect(view.expiresAt).toBe(lease.expiresAt.toISOString());
  await lease.revoke({ wait: true });
  expect(await lab.leases.get(lease.leaseId)).toMatchObject({ state: 'revoked' });
});

async function collect(list: AsyncIterable<{ leaseId: string }>, wanted: string): Promise<{ leaseId: string }[]> {
  let found: { leaseId: string }[] = [];
  await eventually(async () => {
    found = [];
    for await (const one of list) if (one.leaseId === wanted) found.push(one);
    return found.length > 0;
  }, `lease ${wanted} to be listed`);
  return found;
}

test('extend moves the end later and earlier, at the provider too, and never past the maximum', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '5s' });
  const entity = (await userOf(lease.leaseId))!;
  const mark = async (): Promise<number> => {
    const tags = (await lab.aws.user(entity))!.Tags!;
    return Date.parse(tags.find((tag) => tag.Key === 'leasehold:expires-at')!.Value!);
  };
  const before = await mark();
  const later = await lease.extend('20m');
  expect(later.getTime()).toBeGreaterThan(Date.now() + 19 * 60_000);
  expect(await mark()).toBeGreaterThan(before);
  expect(await mark()).toBeGreaterThan(later.getTime());
  await expect(lease.extend('2h')).rejects.toMatchObject({
    code: 'InvalidTtl',
    message: expect.stringContaining('1h'),
  });
  await pause(Math.max(0, lease.expiresAt.getTime() - Date.now()));
  expect(await lab.aws.identity(lease.credential)).toBe('ok');
  const earlier = await lease.extend('1s');
  expect(earlier.getTime()).toBeLessThan(later.getTime());
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'expired' });
  await expect(lease.extend('1m')).rejects.toMatchObject({ code: expect.stringMatching(/LeaseEnded|LeaseNotActive/) });
}, 30_000);

test('extensions asked for at once leave the lease and the provider with one and the same end', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
  const entity = (await userOf(lease.leaseId))!;
  // The first keeps the others waiting; the second, if it ran beside the third, would reach the provider after it.
  lab.proxy.fault({ operation: 'TagUser', kind: 'delay', delayMs: 1_000 });
  lab.proxy.fault({ operation: 'TagUser', kind: 'delay', delayMs: 1_500, nth: 2 });
  const extensions: Promise<Date>[] = [];
  for (const ttl of ['20m', '5m', '40m']) {
    extensions.push(lease.extend(ttl));
    await pause(200);
  }
  await Promise.all(extensions);
  const tags = (await lab.aws.user(entity))!.Tags!;
  const marked = Date.parse(tags.find((tag) => tag.Key === 'leasehold:expires-at')!.Value!);
  const margin = 10 * 60_000;
  expect(marked - margin).toBe(Date.parse((await lab.view(lease.leaseId)).expiresAt!));
  await lease.revoke({ wait: true });
});

test('a shortening of which the provider does not answer stands, since its later mark does no harm', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
  lab.proxy.fault({ operation: 'TagUser', kind: 'html-503', times: 1_000 });
  const extended = lease.extend('2s');
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'expired' });
  expect((await extended).getTime()).toBe(Date.parse((await lab.view(lease.leaseId)).expiresAt!));
});

test('a shortening that the provider may have taken stands, although it refuses the next attempt', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
  lab.proxy.fault({ operation: 'TagUser', kind: 'html-503', times: 1 });
  lab.proxy.fault({ operation: 'TagUser', kind: 'error', status: 403, code: 'AccessDenied', times: 9 });
  const expiresAt = await lease.extend('5m');
  expect(expiresAt.getTime()).toBeLessThan(lease.expiresAt.getTime());
  expect((await lab.view(lease.leaseId)).expiresAt).toBe(expiresAt.toISOString());
  lab.proxy.clearFaults();
  await lease.revoke({ wait: true });
});

test('extensions that wait for one another when their lease is revoked are told that it is at its end', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
  lab.proxy.fault({ operation: 'TagUser', kind: 'html-503', times: 1_000 });
  const extensions = Promise.allSettled([lease.extend('20m'), lease.extend('25m')]);
  await eventually(async () => (await lab.view(lease.leaseId)).extensions === 1, 'the first to be at the provider');
  await lease.revoke({ wait: true });
  for (const told of await extensions) {
    expect(told).toMatchObject({ status: 'rejected', reason: { code: 'LeaseNotActive' } });
  }
});

test('an extension that the provider refuses leaves the old expiry', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
  lab.proxy.fault({ operation: 'TagUser', kind: 'error', status: 403, code: 'AccessDenied', times: 9 });
  await expect(lease.extend('20m')).rejects.toMatchObject({ code: 'Refused' });
  await expect(lease.extend('5m')).rejects.toMatchObject({ code: 'Refused' });
  expect((await lab.view(lease.leaseId)).expiresAt).toBe(lease.expiresAt.toISOString());
  await lease.revoke({ wait: true });
});

test('a removal that fails makes the lease stuck, and it ends once the provider is back', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '30m' });
  lab.proxy.fault({ operation: 'DeleteUser', kind: 'html-503', times: 1_000 });
  await lease.revoke({ reason: 'outage test' });
  await lab.until(lease.leaseId, 'stuck');
  lab.proxy.clearFaults();
  await lab.handle(lease.leaseId).signal('nudge');
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'revoked' });
  expect(await userOf(lease.leaseId)).toBeUndefined();
}, 30_000);

test('abandon gives up a removal and says so; before removal it changes nothing', async () => {
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '30m' });
  await lab.handle(lease.leaseId).signal('abandon', { by: 'ada', reason: 'too soon' });
  expect(await lab.aws.identity(lease.credential)).toBe('ok');
  lab.proxy.fault({ operation: 'DeleteUser', kind: 'html-503', times: 1_000 });
  await lease.revoke({});
  await lab.until(lease.leaseId, 'stuck');
  expect((await lab.view(lease.leaseId)).state).toBe('stuck');
  await lab.handle(lease.leaseId).signal('abandon', { by: 'ada', reason: 'account closed' });
  expect(await lab.outcome(lease.leaseId)).toMatchObject({
    state: 'abandoned',
    endedBy: 'ada',
    reason: 'account closed',
  });
  expect(await userOf(lease.leaseId)).toBeDefined();
}, 30_000);

test('an issue that the caller aborts while the user is made is revoked, not left to its TTL', async () => {
  const controller = new AbortController();
  let leaseId = '';
  lab.proxy.setOnCall((operation, phase, call) => {
    if (operation !== 'CreateAccessKey' || phase !== 'before') return;
    leaseId = call.parameters.get('UserName')!.split('-').at(-1)!;
    controller.abort();
  });
  await expect(lab.leases.issue({ ...REQUEST, ttl: '30m', signal: controller.signal })).rejects.toMatchObject({
    code: 'Aborted',
  });
  await eventually(async () => leaseId !== '', 'the key to be asked for');
  expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked', delivered: false });
  expect(await userOf(leaseId)).toBeUndefined();
});
