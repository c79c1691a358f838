import { checkFilter, checkIssue, checkLeaseId, checkRevoke } from '../../../client/input';
import type { IssueRequest } from '../../../client/leases';
import { generateRecipient } from '../../../sealing/recipient';

const request = { project: 'backend', config: 'prd', dynamicSecret: 'S3_UPLOADS', holder: 'tester' };

test('a whole request is read, and the holder is marked as asserted by the library', async () => {
  expect(await checkIssue({ ...request, ttl: '1h30m', idempotencyKey: 'Auftrag Nº 1' })).toEqual({
    ...request,
    holder: 'library:tester',
    ttlMs: 5_400_000,
    idempotencyKey: 'Auftrag Nº 1',
    recipient: null,
    signal: undefined,
    timeoutMs: 75_000,
  });
  expect(await checkIssue(request)).toMatchObject({ ttlMs: null, idempotencyKey: null });
});

test.each<[string, object]>([
  ['project', { project: '' }],
  ['project', { project: 'Backend' }],
  ['project', { project: 'x'.repeat(65) }],
  ['project', { project: 7 }],
  ['config', { config: 'a/b' }],
  ['config', { config: 'prd\n' }],
  ['dynamicSecret', { dynamicSecret: 's3' }],
  ['dynamicSecret', { dynamicSecret: '1S' }],
  ['dynamicSecret', { dynamicSecret: `S${'_'.repeat(64)}` }],
  ['holder', { holder: '' }],
  ['holder', { holder: ' \t' }],
  ['holder', { holder: 'a\u0000b' }],
  ['holder', { holder: 'a\u202eb' }],
  ['holder', { holder: '\ud800' }],
  ['holder', { holder: null }],
  ['idempotencyKey', { idempotencyKey: '' }],
  ['idempotencyKey', { idempotencyKey: 'x'.repeat(256) }],
  ['idempotencyKey', { idempotencyKey: 'a\nb' }],
  ['idempotencyKey', { idempotencyKey: null }],
  ['signal', { signal: {} }],
  ['timeoutMs', { timeoutMs: 0 }],
  ['timeoutMs', { timeoutMs: Infinity }],
  ['timeoutMs', { timeoutMs: NaN }],
  ['timeoutMs', { timeoutMs: '5s' }],
  ['recipient', { recipient: {} }],
  ['tll', { tll: '5m' }],
])('a wrong %s is refused by name: %j', async (field, change) => {
  await expect(checkIssue({ ...request, ...change })).rejects.toMatchObject({
    code: 'InvalidInput',
    field,
    message: expect.stringContaining(field) as string,
  });
});

test.each([undefined, null, 'x', []])('a request that is %j is refused', async (odd) => {
  await expect(checkIssue(odd as never)).rejects.toMatchObject({ code: 'InvalidInput', field: 'request' });
});

test.each(['', '0', '-1m', '1.5s', 'soon', '1e9', null, {}, NaN, 0, 1.5, true])(
  'TTL %j is refused as a TTL',
  async (ttl) => {
    await expect(checkIssue({ ...request, ttl } as IssueRequest)).rejects.toMatchObject({
      code: 'InvalidTtl',
      field: 'ttl',
    });
  },
);

test('a holder that is too long is hashed, and nobody can spell a hashed one', async () => {
  const holderOf = async (holder: string): Promise<string> => (await checkIssue({ ...request, holder })).holder;
  const fitting = 'x'.repeat(192);
  expect(await holderOf(fitting)).toBe(`library:${fitting}`);
  const hashed = await holderOf('ж'.repeat(97));
  expect(hashed).toMatch(/^library:sha256:[a-z2-7]{52}$/);
  expect(await holderOf('ж'.repeat(98))).not.toBe(hashed);
  expect(await holderOf(hashed.slice('library:'.length))).not.toBe(hashed);
});

test('a key pair whose halves do not belong together is refused before anything is made for it', async () => {
  const [one, other] = [await generateRecipient(), await generateRecipient('P-256')];
  const mixed = { publicJwk: one.publicJwk, privateKey: (await generateRecipient()).privateKey };
  for (const recipient of [mixed, { publicJwk: one.publicJwk }, { ...one, privateKey: other.privateKey }]) {
    await expect(checkIssue({ ...request, recipient } as IssueRequest)).rejects.toMatchObject({ field: 'recipient' });
  }
  for (const recipient of [one, other])
    expect((await checkIssue({ ...request, recipient })).recipient).toEqual(recipient);
});

test('a revoke waits as long as it is told, and its reason is bounded', () => {
  expect(checkRevoke(undefined)).toEqual({ by: null, reason: null, waitMs: null, signal: undefined });
  expect(checkRevoke({ wait: false }).waitMs).toBeNull();
  expect(checkRevoke({ wait: true }).waitMs).toBe(300_000);
  expect(checkRevoke({ wait: true, timeoutMs: 50 }).waitMs).toBe(50);
  expect(checkRevoke({ wait: 70 }).waitMs).toBe(70);
  expect(checkRevoke({ by: 'ada', reason: 'x'.repeat(5_000) })).toMatchObject({
    by: 'library:ada',
    reason: 'x'.repeat(200),
  });
  for (const [field, options] of [
    ['wait', { wait: 0 }],
    ['wait', { wait: 'yes' }],
    ['by', { by: '' }],
    ['reason', { reason: 5 }],
    ['resaon', { resaon: 'x' }],
  ] as const) {
    expect(() => checkRevoke(options as never)).toThrow(
      expect.objectContaining({ code: 'InvalidInput', field }) as Error,
    );
  }
});

test.each([
  ['state', { state: 'Active' }],
  ['project', { project: '' }],
  ['holder', { holder: 'x'.repeat(256) }],
  ['holder', { holder: 'a\u0000' }],
  ['live', { live: 'yes' }],
  ['pageSize', { pageSize: 0 }],
  ['states', { states: ['active'] }],
])('a filter with a wrong %s is refused instead of listing everything: %j', (field, filter) => {
  expect(() => checkFilter(filter as never)).toThrow(expect.objectContaining({ code: 'InvalidInput', field }) as Error);
});

test.each([undefined, '', '../x', 'A'.repeat(24), 'a'.repeat(25), 'a'.repeat(23) + '1'])('%j is no lease id', (odd) => {
  expect(() => checkLeaseId(odd)).toThrow(expect.objectContaining({ code: 'InvalidInput', field: 'leaseId' }) as Error);
});
