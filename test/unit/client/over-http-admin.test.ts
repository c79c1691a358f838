import type { LeaseError } from '../../../client/leases';
import { json, leasesOf, refusal } from '../../support/answering';

const REPORT = {
  id: 'r1',
  state: 'running',
  filter: { holder: 'token:ci', dynamic_secret: 'TOKEN' },
  by: 'token:ada',
  reason: 'leaver',
  requested_at: '2030-01-01T00:00:00.000Z',
  ended_at: null,
  block_id: 'b1',
  remark: null,
  rounds: 1,
  matched: 3,
  signalled: 2,
  left: 1,
  still_removing: 1,
};
const BLOCK = {
  id: 'b1',
  filter: { project: 'backend', dynamic_secret: 'TOKEN' },
  by: 'token:ada',
  reason: 'leaver',
  at: '2030-01-01T00:00:00.000Z',
};

function failureOf(call: Promise<unknown>): Promise<LeaseError> {
  return call.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => error as LeaseError,
  );
}

test('a revoke of many leases says which and why, and is told as it stands', async () => {
  const { leases, asked } = leasesOf([json(REPORT, 202)]);
  const revocation = await leases.revokeMany({ holder: 'token:ci', dynamicSecret: 'TOKEN', reason: 'leaver' });
  expect(asked[0]).toMatchObject({
    method: 'POST',
    url: 'https://api.test/v1/revocations',
    body: { holder: 'token:ci', dynamic_secret: 'TOKEN', reason: 'leaver' },
  });
  expect(revocation).toEqual({
    id: 'r1',
    state: 'running',
    filter: { holder: 'token:ci', dynamicSecret: 'TOKEN' },
    by: 'token:ada',
    reason: 'leaver',
    requestedAt: new Date('2030-01-01T00:00:00Z'),
    endedAt: null,
    blockId: 'b1',
    remark: null,
    rounds: 1,
    matched: 3,
    signalled: 2,
    left: 1,
    stillRemoving: 1,
  });
});

test.each([
  [{ reason: 'all of them' }, 'filter'],
  [{ holder: undefined, reason: 'x' }, 'filter'],
  [{ holder: '', reason: 'x' }, 'holder'],
  [{ project: 'backend', reason: ' ' }, 'reason'],
  [{ project: 'backend' }, 'reason'],
  [{ state: 'active', reason: 'x' }, 'filter'],
  [{ projects: 'backend', reason: 'x' }, 'projects'],
])('a revoke of many leases that means nothing certain is not asked for: %j', async (request, field) => {
  const { leases, asked } = leasesOf([json(REPORT, 202)]);
  expect(await failureOf(leases.revokeMany(request as never))).toMatchObject({ code: 'InvalidInput', field });
  expect(asked).toEqual([]);
});

test('how far one has got, and the latest, are asked by their addresses', async () => {
  const done = { ...REPORT, state: 'done', ended_at: '2030-01-01T00:01:00.000Z' };
  const { leases, asked } = leasesOf([json(done), json({ revocations: [done, REPORT] })]);
  expect(await leases.revocation('a/b')).toMatchObject({ state: 'done', endedAt: new Date('2030-01-01T00:01:00Z') });
  expect((await leases.revocations()).map(({ state }) => state)).toEqual(['done', 'running']);
  expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'GET https://api.test/v1/revocations/a%2Fb',
    'GET https://api.test/v1/revocations',
  ]);
});

test('blocks are read, and lifted by their id', async () => {
  const { leases, asked } = leasesOf([json({ blocks: [BLOCK] }), json(BLOCK)]);
  const block = {
    id: 'b1',
    filter: { project: 'backend', dynamicSecret: 'TOKEN' },
    by: 'token:ada',
    reason: 'leaver',
    at: new Date('2030-01-01T00:00:00Z'),
  };
  expect(await leases.blocks()).toEqual([block]);
  expect(await leases.liftBlock('b1')).toEqual(block);
  expect(asked[1]).toMatchObject({ method: 'DELETE', url: 'https://api.test/v1/blocks/b1', body: null });
});

test('what is not there, or not within reach, is NotFound and no outage', async () => {
  const { leases } = leasesOf([refusal(404, 'not_found', 'There is no such block.')]);
  for (const call of [leases.liftBlock('b1'), leases.revocation('r1'), leases.revokeMany({ holder: 'x', reason: 'y' })])
    expect(await failureOf(call)).toMatchObject({ code: 'NotFound', message: 'There is no such block.' });
});

test('a lift whose answer is lost is not repeated, and says that it may have happened', async () => {
  const lost = new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } });
  const { leases, asked } = leasesOf([lost]);
  const failure = await failureOf(leases.liftBlock('b1'));
  expect(failure).toMatchObject({ code: 'Unavailable', message: expect.stringMatching(/may have been lifted/) });
  expect(asked).toHaveLength(1);
});

test('a lift that is not answered in time says that it may have happened', async () => {
  jest.useFakeTimers();
  try {
    const { leases } = leasesOf([], { fetch: () => new Promise<Response>(() => undefined) });
    const failure = failureOf(leases.liftBlock('b1'));
    await jest.advanceTimersByTimeAsync(20_000);
    expect(await failure).toMatchObject({ code: 'Timeout', message: expect.stringMatching(/may have been lifted/) });
  } finally {
    jest.useRealTimers();
  }
});

test('a revoke of many leases whose answer is lost is asked for again, and only an answer makes it certain', async () => {
  const lost = new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } });
  const { leases, asked } = leasesOf([lost, json(REPORT, 202)]);
  await leases.revokeMany({ holder: 'token:ci', reason: 'x' });
  expect(asked).toHaveLength(2);
  const failing = leasesOf([json({ success: false, messages: ['No.'], code: 'unavailable', request_id: 'r' }, 502)]);
  expect(await failureOf(failing.leases.revokeMany({ holder: 'token:ci', reason: 'x' }))).toMatchObject({
    message: 'No. It may have begun: look at the revocations.',
  });
});

test('a lease is given up for a reason alone', async () => {
  const id = 'a'.repeat(24);
  const accepted = { lease_id: id, state: 'accepted', ended_at: null, ended_by: null, reason: null };
  const { leases, asked } = leasesOf([json(accepted, 202)]);
  await leases.abandon(id, { reason: 'the account is gone' });
  expect(asked[0]).toMatchObject({
    method: 'POST',
    url: `https://api.test/v1/leases/${id}/abandon`,
    body: { reason: 'the account is gone' },
  });
  expect(await failureOf(leases.abandon(id, { reason: ' ' }))).toMatchObject({ field: 'reason' });
  expect(asked).toHaveLength(1);
});
