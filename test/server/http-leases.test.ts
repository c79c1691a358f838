import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { connectHttpLeases } from '../../client/http';
import type { HttpIssueRequest } from '../../client/http';
import type { LeaseError } from '../../client/leases';
import { generateRecipient } from '../../sealing/recipient';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { eventually } from '../support/lab';

const REQUEST = { project: 'backend', config: 'prd', dynamicSecret: 'TOKEN', ttl: '10m' };

let lab: ApiLab;

beforeAll(async () => {
  lab = await openApiLab();
}, 60_000);

afterEach(async () => {
  await eventually(async () => lab.provider.entities.size === 0, 'everything to be removed');
});

afterAll(() => lab.close());

/** Loses the answers to so many issues, each when it is there, as a connection that breaks while they are on their way. */
function losing(count: number, onLost: () => void = () => undefined): typeof fetch {
  let left = count;
  return async (url, init) => {
    const answer = await fetch(url, init);
    const isIssue = init?.method === 'POST' && (url as string).endsWith('/v1/leases');
    if (!isIssue || left === 0) return answer;
    left -= 1;
    onLost();
    throw new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } });
  };
}

async function failureOf(call: Promise<unknown>): Promise<LeaseError> {
  return call.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => error as LeaseError,
  );
}

test('the package offers leases over HTTP, and loads nothing of Temporal for it', async () => {
  const program = `
    const { connectHttpLeases, keep, LeaseError } = require('leasehold/http');
    const loaded = Object.keys(require.cache).filter((file) => /@temporalio|protobufjs|grpc/.test(file));
    console.log(JSON.stringify([typeof connectHttpLeases, typeof keep, typeof LeaseError, loaded]));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program]);
  expect(JSON.parse(stdout)).toEqual(['function', 'function', 'function', []]);
});

test('the API never sees a credential, only what the program can open', async () => {
  let seen = '';
  const leases = connectHttpLeases({
    url: lab.url,
    token: lab.tokens['ci']!,
    fetch: async (url, init) => {
      const answer = await fetch(url, init);
      seen += await answer.clone().text();
      return answer;
    },
  });
  const lease = await leases.issue(REQUEST);
  expect(lease.credential['TOKEN']).toBe(`canary-${lease.leaseId}`);
  expect(seen).toContain(lease.leaseId);
  expect(seen).not.toContain('canary');
  await lease.revoke({ wait: true });
});

test('an answer that was lost is got by asking again, and there is one lease', async () => {
  const leases = connectHttpLeases({ url: lab.url, token: lab.tokens['ci']!, fetch: losing(2) });
  const made = lab.provider.calls.provision;
  const lease = await leases.issue(REQUEST);
  expect(lease.credential['TOKEN']).toBe(`canary-${lease.leaseId}`);
  expect(lab.provider.calls.provision).toBe(made + 1);
  await lease.revoke({ wait: true });
});

test('a lease whose answer is lost for good is revoked, unless another caller may have its credential', async () => {
  /** Gives up when one answer was lost, and not by the clock: until then the lease may not have been delivered to anybody. */
  const lose = (request: HttpIssueRequest): Promise<LeaseError> => {
    const givesUp = new AbortController();
    const fetch = losing(1_000, () => {
      givesUp.abort();
    });
    const leases = connectHttpLeases({ url: lab.url, token: lab.tokens['ci']!, fetch });
    return failureOf(leases.issue({ ...request, signal: givesUp.signal }));
  };
  const failure = await lose(REQUEST);
  expect(failure).toMatchObject({ undelivered: 'revoke accepted' });
  expect(await lab.outcome(failure.leaseId!)).toMatchObject({ state: 'revoked', reason: 'undelivered' });
  const asked = lab.audit.find(({ event, leaseId }) => event === 'revoke_requested' && leaseId === failure.leaseId);
  expect(asked).toMatchObject({
    reason: 'undelivered',
    details: { tokenId: 'token/ci', requestId: expect.any(String) },
  });
  const shared = { ...REQUEST, idempotencyKey: 'shared', recipient: await generateRecipient() };
  const alone = await lose(shared);
  expect(alone).toMatchObject({ undelivered: 'left alone' });
  const lease = await connectHttpLeases({ url: lab.url, token: lab.tokens['ci']! }).issue(shared);
  expect(lease.leaseId).toBe(alone.leaseId);
  await lease.revoke({ wait: true });
}, 60_000);

test('a lease that was issued to another key pair is not taken back by who lost his answer', async () => {
  const request = { ...REQUEST, idempotencyKey: 'not his' };
  const lease = await connectHttpLeases({ url: lab.url, token: lab.tokens['ci']! }).issue(request);
  const other = await generateRecipient();
  const answer = await fetch(`${lab.url}/v1/leases/undelivered`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${lab.tokens['ci']!}`,
      'content-type': 'application/json',
      'idempotency-key': 'not his',
    },
    body: JSON.stringify({
      project: 'backend',
      config: 'prd',
      dynamic_secret: 'TOKEN',
      recipient_jwk: other.publicJwk,
    }),
  });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ lease_id: lease.leaseId, undelivered: 'left alone' });
  expect(lab.provider.of(lease.leaseId)).toHaveLength(1);
  await lease.revoke({ wait: true });
});

test('who the lease is for is whom the token stands for, and another one cannot be chosen', async () => {
  const leases = connectHttpLeases({ url: lab.url, token: lab.tokens['ci']! });
  const made = lab.provider.calls.provision;
  expect(await failureOf(leases.issue({ ...REQUEST, holder: 'nightly-export' }))).toMatchObject({
    code: 'InvalidInput',
    field: 'holder',
    message: 'holder must be left out or be "token:ci", whom the token stands for.',
    undelivered: undefined,
  });
  expect(lab.provider.calls.provision).toBe(made);
  const lease = await leases.issue(REQUEST);
  expect(await leases.get(lease.leaseId)).toMatchObject({ holder: 'token:ci' });
  const other = connectHttpLeases({ url: lab.url, token: lab.tokens['other']! });
  for (const call of [() => other.get(lease.leaseId), () => other.revoke(lease.leaseId)]) {
    expect(await failureOf(call())).toMatchObject({ code: 'LeaseNotFound', leaseId: lease.leaseId });
  }
  const admin = connectHttpLeases({ url: lab.url, token: lab.tokens['admin']! });
  expect(await admin.revoke(lease.leaseId, { wait: true, reason: 'leaked' })).toMatchObject({
    state: 'revoked',
    endedBy: 'token:admin',
    reason: 'leaked',
  });
});

test('a wrong token is refused in a sentence that does not repeat it', async () => {
  const token = `${lab.tokens['ci']!.slice(0, -4)}aaaa`;
  const failure = await failureOf(connectHttpLeases({ url: lab.url, token }).issue(REQUEST));
  expect(failure).toMatchObject({ code: 'Unauthenticated' });
  expect(failure.message).toMatch(/^No valid token was sent/);
  expect(failure.message).not.toContain(token);
});
