import { Client, Connection } from '@temporalio/client';
import { createLeaseService } from '../../client/service';
import { openTcpGate } from '../../dev/tcp-gate';
import { CHANNEL_ARGS } from '../../temporal/connection';
import { callApi } from '../support/api-call';
import type { ApiAnswer, ApiCall } from '../support/api-call';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { eventually, pause } from '../support/lab';
import { sendRaw } from '../support/raw-http';

const WANTED = { project: 'backend', config: 'prd', dynamic_secret: 'TOKEN' } as const;

let lab: ApiLab;

beforeAll(async () => {
  lab = await openApiLab({
    tokens: { expired: { scopes: ['*'], expires_at: '2020-01-01T00:00:00Z' } },
  });
}, 60_000);

afterEach(async () => {
  lab.provider.heal();
  await eventually(async () => lab.provider.entities.size === 0, 'the provider to hold nothing');
  expect((await ask('GET', '/v1/whoami')).status).toBe(200);
  expect(lab.apiLogs()).not.toContain('canary');
  for (const token of Object.values(lab.tokens)) expect(lab.apiLogs()).not.toContain(token);
});

afterAll(() => lab.close());

function ask(method: string, path: string, call: Partial<ApiCall> = {}): Promise<ApiAnswer> {
  return callApi(method, path, { url: lab.url, token: lab.tokens['ci'], ...call });
}

function issue(call: Partial<ApiCall> = {}): Promise<ApiAnswer> {
  return ask('POST', '/v1/leases', { body: WANTED, ...call });
}

/** The documented error, whatever else. */
function expectError({ status, headers, body }: ApiAnswer, expected: { status: number; code: string }): void {
  expect({ status, body }).toEqual({
    status: expected.status,
    body: expect.objectContaining({
      success: false,
      messages: [expect.stringMatching(/\S+ .*[.!?]$/)],
      code: expected.code,
      request_id: headers.get('x-request-id'),
    }),
  });
  expect(headers.get('content-type')).toContain('application/json');
}

describe('whoever is not known', () => {
  const headersOf = (authorization: string): Partial<ApiCall> => ({ token: null, headers: { authorization } });
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

  test('is told the same by every wrong token, and that is written down without it', async () => {
    const { ci = '', expired = '' } = lab.tokens;
    const wrong: Partial<ApiCall>[] = [
      { token: null },
      ...[
        `Bearer ${expired}`,
        `Bearer ${ci.slice(0, -1)}`,
        `Bearer ${ci}a`,
        `Bearer ${ci.toUpperCase()}`,
        `Bearer ${ci.replace('.ci.', '.other.')}`,
        `Bearer lht.nobody.${'a'.repeat(52)}`,
        `Bearer lht.constructor.${'a'.repeat(52)}`,
        'Bearer dp.st.prd.somebodyelses',
        'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.',
        'Bearer',
        'Bearer  ',
        `Token ${ci}`,
        ci,
        'Basic',
        'Basic %%%',
        basic(`${expired}:`),
        basic(`:${ci}`),
        `Basic ${expired}`,
        `Bearer ${'x'.repeat(12_000)}`,
      ].map(headersOf),
    ];
    const messages = new Set<string>();
    for (const call of wrong) {
      const answer = await issue(call);
      expectError(answer, { status: 401, code: 'unauthenticated' });
      messages.add(answer.body.messages.join());
    }
    expect(messages.size).toBe(1);
    const denials = lab.audit.filter(({ event }) => event === 'denied');
    expect(denials.length).toBeGreaterThan(0);
    expect(JSON.stringify(denials)).not.toContain(ci.slice(10));
    expect(lab.provider.calls.provision).toBe(0);
  });

  test('is known by Bearer, by Basic with the token as the user name, and by Basic with the token as it is', async () => {
    const { ci = '' } = lab.tokens;
    for (const authorization of [`Bearer ${ci}`, `bearer ${ci}`, basic(`${ci}:`), basic(`${ci}:x`), `Basic ${ci}`]) {
      expect(await ask('GET', '/v1/whoami', headersOf(authorization))).toMatchObject({ body: { holder: 'token:ci' } });
    }
  });
});

test.each([
  ['invalid_ttl', 2_147_483_648],
  ['invalid_ttl', 9_007_199_254_740_993],
  ['invalid_ttl', 1e300],
  ['invalid_ttl', 1.5],
  ['invalid_ttl', 0],
  ['invalid_ttl', -1],
  ['invalid_ttl', '2147483648'],
  ['invalid_ttl', '2147483648s'],
  ['invalid_ttl', ''],
  ['invalid_ttl', ' '],
  ['invalid_ttl', 'True'],
  ['invalid_ttl', 'NaN'],
  ['invalid_ttl', 'Infinity'],
  ['invalid_ttl', '1.5'],
  ['invalid_ttl', '1e3'],
  ['invalid_ttl', '0x10'],
  ['invalid_ttl', '-15m'],
  ['invalid_ttl', '15M'],
  ['invalid_ttl', '0s'],
  ['invalid_ttl', '13h'],
  ['invalid_ttl', '١٥'],
  ['invalid_input', 'x'.repeat(41)],
  ['invalid_input', null],
  ['invalid_input', true],
  ['invalid_input', []],
  ['invalid_input', ['15m']],
  ['invalid_input', {}],
])('a TTL is refused as %s: %j', async (code, ttl) => {
  const answer = await issue({ body: { ...WANTED, ttl } });
  expectError(answer, { status: 400, code });
  if (code === 'invalid_input') expect(answer.body.field).toBe('ttl');
});

test.each([
  [{ ...WANTED, project: 'nowhere' }],
  [{ ...WANTED, config: 'nowhere' }],
  [{ ...WANTED, dynamic_secret: 'NOTHING' }],
  [{ ...WANTED, project: '__proto__' }],
  [{ ...WANTED, config: 'constructor' }],
  [{ ...WANTED, dynamic_secret: 'toString' }],
  [{ ...WANTED, project: '../backend' }],
  [{ ...WANTED, project: '' }],
  [{ ...WANTED, project: '\u0000\u202e' }],
  [{ ...WANTED, project: '*', config: '*' }],
])('what is not there is 404: %j', async (body) => {
  for (const name of ['ci', 'admin']) {
    expectError(await issue({ token: lab.tokens[name], body }), { status: 404, code: 'unknown_dynamic_secret' });
  }
});

describe('a body', () => {
  const send = (text: string, type = 'application/json'): Promise<ApiAnswer> =>
    fetch(`${lab.url}/v1/leases`, {
      method: 'POST',
      headers: { authorization: `Bearer ${lab.tokens['ci']}`, 'content-type': type },
      body: text,
    }).then(async (answer) => ({
      status: answer.status,
      headers: answer.headers,
      body: (await answer.json()) as ApiAnswer['body'],
    }));

  test.each([
    '',
    '{',
    'NaN',
    '{"ttl":NaN}',
    '[]',
    'null',
    '"x"',
    '1',
    '{}',
    '{"project":1,"config":"prd","dynamic_secret":"TOKEN"}',
    '{"project":"backend","config":"prd","dynamic_secret":"TOKEN","more":1}',
    '{"project":"backend","config":"prd","dynamic_secret":"TOKEN","__proto__":{"ttl":1}}',
    '{"project":"backend","config":"prd","dynamic_secret":"TOKEN","constructor":{"prototype":{"ttl":1}}}',
    '['.repeat(20_000),
    '\ufeff{',
  ])('that is none of ours is refused: %#', async (text) => {
    expectError(await send(text), { status: 400, code: 'invalid_input' });
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
    'of type %s is refused',
    async (type) => {
      expectError(await send(JSON.stringify(WANTED), type), { status: 415, code: 'unsupported_media_type' });
    },
  );

  test('of 10 MB is refused without reading it, announced or not', async () => {
    const head = (framing: string): string =>
      `POST /v1/leases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${lab.tokens['ci']}\r\nContent-Type: application/json\r\n${framing}\r\n\r\n`;
    const chunk = 'x'.repeat(64 * 1024);
    const announced = [head(`Content-Length: ${160 * chunk.length}`), ...Array<string>(160).fill(chunk)];
    const chunked = [head('Transfer-Encoding: chunked'), ...Array<string>(160).fill(`10000\r\n${chunk}\r\n`)];
    for (const pieces of [announced, chunked]) {
      const answer = await sendRaw(lab.url, pieces);
      expect(answer).toMatch(/^HTTP\/1\.1 413 /);
      expect(answer).toContain('"code":"payload_too_large"');
    }
  });
});

test.each([
  [
    'a head of 20 KB',
    [`GET /v1/whoami HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`],
    431,
    'headers_too_large',
  ],
  ['an address of 20 KB', [`GET /v1/${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`], 431, 'headers_too_large'],
  ['no HTTP', ['\u0016\u0003\u0001\u0002\u0000\r\n\r\n'], 400, 'invalid_input'],
  ['an unknown method', ['BREW /v1/leases HTTP/1.1\r\nHost: x\r\n\r\n'], 400, 'invalid_input'],
  [
    'two lengths',
    ['POST /v1/leases HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'],
    400,
    'invalid_input',
  ],
  [
    'a length and chunks',
    ['POST /v1/leases HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    400,
    'invalid_input',
  ],
] as const)(
  '%s is answered with the documented error, and the connection is closed',
  async (_, pieces, status, code) => {
    const answer = await sendRaw(lab.url, pieces);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ success: false, code });
  },
);

test.each([
  ['/v1/leases/%ZZ', 400],
  ['/v1/leases/..%2f..%2fwhoami', 400],
  ['/v1/leases?limit=1&limit=2', 400],
  ['/v1/leases?holder[]=x', 400],
  ['/v1/leases?holder=%00', 400],
  ["/v1/leases?entity=%22%20OR%201%3D1--'%5C", 200],
])('the address %s is answered with %i', async (path, status) => {
  const answer = await ask('GET', path, { token: lab.tokens['admin'] });
  if (status === 200) expect(answer).toMatchObject({ status, body: { leases: [] } });
  else expectError(answer, { status, code: 'invalid_input' });
});

test('an address with a part of 300 characters is refused', async () => {
  expectError(await ask('GET', `/v1/leases/${'a'.repeat(300)}`), { status: 400, code: 'invalid_input' });
});

describe('a client that sends', () => {
  let url: string;

  beforeAll(async () => {
    ({ url } = await lab.startApi({}, { requestTimeoutMs: 1_000 }));
  });

  function* slowly(text: string): Iterable<string> {
    yield* text;
    for (;;) yield 'x';
  }

  test.each([
    ['nothing', (): Iterable<string> => []],
    ['its head byte by byte', (): Iterable<string> => slowly('GET /v1/whoami HTTP/1.1\r\nHost: x\r\nX-Slow: ')],
    [
      'its body byte by byte',
      (): Iterable<string> => [
        `POST /v1/leases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${lab.tokens['ci']}\r\n` +
          'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"project":"backend"',
        ...Array<string>(50).fill(' '),
      ],
    ],
  ])('%s is cut off in bounded time', async (what, pieces) => {
    const begun = Date.now();
    const answer = await sendRaw(url, pieces(), 100);
    // The bound and the pace at which connections are looked at, on a busy machine.
    expect(Date.now() - begun).toBeLessThan(8_000);
    if (what === 'nothing' && answer === '') return;
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"request_timeout"');
  });
});

test('two hundred issues at once are all answered, and all can be revoked', async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, () => issue({ body: { ...WANTED, ttl: '30m' } })));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  const ids = answers.map(({ body }) => body.lease_id);
  expect(new Set(ids).size).toBe(200);
  expect(lab.provider.entities.size).toBe(200);
  for (const { body } of answers) expect(body.credential).toEqual({ TOKEN: `canary-${body.lease_id}` });
  const revoked = await Promise.all(ids.map((id) => ask('POST', `/v1/leases/${id}/revoke`)));
  expect(new Set(revoked.map(({ status }) => status))).toEqual(new Set([202]));
  await eventually(async () => lab.provider.entities.size === 0, 'the provider to hold nothing', 60_000);
  // Their last tasks would keep the worker from what the next test asks of it.
  await Promise.all(ids.map((id) => lab.handle(id).result()));
}, 120_000);

test.each([
  ['Refused', 502, 'refused', 20_000],
  ['QuotaExceeded', 429, 'quota_exceeded', 20_000],
  // It is tried again for as long as somebody waits.
  ['Unavailable', 502, 'issue_timeout', 3_000],
] as const)('a provider that answers %s is told', async (type, status, code, timeoutMs) => {
  const { url } = await lab.startApi({
    leases: {
      ...createLeaseService(lab),
      issue: (request) => createLeaseService(lab).issue({ ...request, timeoutMs }),
    },
  });
  lab.provider.fail(type, 'provision');
  const answer = await issue({ url });
  expectError(answer, { status, code });
  if (status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
});

describe('without Temporal', () => {
  test('everything that needs it is told so quickly, and it goes on once Temporal is back', async () => {
    const gate = await openTcpGate(lab.address);
    const connection = await Connection.connect({ address: gate.address, channelArgs: CHANNEL_ARGS });
    try {
      const { namespace, deployment } = lab;
      const client = new Client({ connection, namespace });
      const { url } = await lab.startApi({ client, leases: createLeaseService({ client, namespace, deployment }) });
      const lease = await issue({ url });
      expect(lease.status).toBe(201);
      const id = lease.body.lease_id;
      gate.cut();
      const calls: [string, string, unknown?][] = [
        ['POST', '/v1/leases', WANTED],
        ['GET', '/v1/leases'],
        ['GET', `/v1/leases/${id}`],
        ['POST', `/v1/leases/${id}/extend`, { ttl: '5m' }],
        ['POST', `/v1/leases/${id}/revoke`, {}],
        ['POST', '/v1/revocations', { holder: 'token:ci', reason: 'laptop lost' }],
        ['GET', '/v1/revocations'],
        ['GET', '/v1/revocations/abc'],
        ['GET', '/v1/blocks'],
        ['DELETE', '/v1/blocks/abc'],
        ['POST', '/v1/integrations/memory/check'],
      ];
      const token = lab.tokens['admin'];
      // What was asked a moment ago counts as there.
      await pause(1_100);
      const begun = Date.now();
      const answers = await Promise.all(calls.map(([method, path, body]) => ask(method, path, { url, token, body })));
      expect(Date.now() - begun).toBeLessThan(8_000);
      for (const answer of answers) expectError(answer, { status: 502, code: 'unavailable' });
      expect(lab.provider.entities.size).toBe(1);
      expect((await ask('GET', '/v1/whoami', { url })).status).toBe(200);
      gate.mend();
      await eventually(
        async () => (await ask('GET', `/v1/leases/${id}`, { url })).status === 200,
        'Temporal to be found',
      );
      expect(await ask('POST', `/v1/leases/${id}/revoke`, { url, body: { wait: true } })).toMatchObject({
        status: 200,
      });
    } finally {
      await connection.close();
      await gate.close();
    }
  }, 60_000);
});
