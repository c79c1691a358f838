import { IntegrationError } from '../../activities/integrations/integration';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { eventually, pause } from '../support/lab';
import { openRaw } from '../support/raw-connection';

const SECOND = { integration: 'memory', default_ttl: '5m', min_ttl: '1s', max_ttl: '10m' };
const DOWNLOAD = '/v3/configs/config/secrets/download?include_dynamic_secrets=true';
const LEASES = '/v3/configs/config/dynamic_secrets/dynamic_secret/leases';

let lab: ApiLab;

beforeAll(async () => {
  lab = await openApiLab({
    secrets: { GREETING: 'hello', ABSENT: 'env:LEASEHOLD_TEST_NOT_SET' },
    dynamicSecrets: { SECOND },
    projects: { site: { configs: { prd: { secrets: { COLOUR: 'blue', ABSENT: 'env:LEASEHOLD_TEST_NOT_SET' } } } } },
    tokens: {
      reader: { scopes: ['backend/prd'], rights: ['read'] },
      lessee: { scopes: ['backend/prd'], rights: ['lease'] },
      wide: { scopes: ['backend/*'] },
      elsewhere: { scopes: ['site/prd'] },
    },
  });
}, 60_000);

afterEach(async () => {
  lab.provider.before = () => undefined;
  lab.provider.heal();
  lab.breakAudit(false);
  for (const { leaseId } of lab.provider.entities.values()) await lab.leases.revoke(leaseId!);
  await nothingLeft();
});

afterAll(async () => {
  const log = lab.apiLogs() + JSON.stringify(lab.audit);
  await lab.close();
  expect(log).toContain('answered');
  expect(log).not.toContain('canary-');
});

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}

async function ask(path: string, init: RequestInit & { token?: string } = {}): Promise<Answer> {
  const { token = 'ci', ...rest } = init;
  const headers = { authorization: `Bearer ${lab.tokens[token]!}`, ...(rest.headers as Record<string, string>) };
  const answer = await fetch(`${lab.url}${path}`, { ...rest, headers });
  return { status: answer.status, body: (await answer.json()) as Answer['body'], headers: answer.headers };
}

function post(body: unknown, token = 'ci'): Promise<Answer> {
  return ask(LEASES, {
    method: 'POST',
    token,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
}

async function nothingLeft(): Promise<void> {
  await eventually(async () => lab.provider.entities.size === 0, 'nothing to be left at the provider');
}

/** Leases that ended because nobody got their credential. */
function undelivered(): number {
  return lab.audit.filter(({ reason }) => reason === 'undelivered').length;
}

const TOKEN_ALONE = `${DOWNLOAD}&secrets=TOKEN`;

describe('on a config with dynamic secrets, a download that fails', () => {
  test.each(['3599996400', 'NaN', '1.5', '', 'True', '0', '-5', '1e3', '99999999999999999999', ' 5'])(
    'for the TTL %j is 403 and begins nothing',
    async (ttl) => {
      const before = lab.provider.calls.provision;
      const { status, body } = await ask(`${DOWNLOAD}&dynamic_secrets_ttl_sec=${encodeURIComponent(ttl)}`);
      expect({ status, body }).toEqual({
        status: 403,
        body: expect.objectContaining({ success: false, code: 'invalid_ttl', field: 'dynamic_secrets_ttl_sec' }),
      });
      expect(lab.provider.calls.provision).toBe(before);
    },
  );

  test('because one dynamic secret does not allow the TTL begins none of them', async () => {
    const before = lab.provider.calls.provision;
    const { status, body } = await ask(`${DOWNLOAD}&secrets=TOKEN,SECOND&dynamic_secrets_ttl_sec=3600`);
    expect(status).toBe(403);
    expect(body['messages']).toEqual(['SECOND: A TTL of 1h is not allowed: it must be from 1s to 10m.']);
    expect(lab.provider.calls.provision).toBe(before);
  });

  test.each([
    [
      'the provider refuses',
      () => {
        lab.provider.fail('Refused', 'provision');
      },
      'refused',
    ],
    [
      'the provider’s quota is used up',
      () => {
        lab.provider.fail('QuotaExceeded', 'provision');
      },
      'quota_exceeded',
    ],
    [
      'the audit log cannot be written',
      () => {
        lab.breakAudit(true);
      },
      undefined,
    ],
  ])('because %s is 403 with the cause and leaves nothing', async (_, breakIt, code) => {
    breakIt();
    const { status, body } = await ask(TOKEN_ALONE);
    expect(status).toBe(403);
    if (code !== undefined) expect(body['code']).toBe(code);
    expect(body['messages']).toHaveLength(1);
    lab.breakAudit(false);
    lab.provider.heal();
    await nothingLeft();
  });

  test.each(['format=xml', 'name_transformer=shouting', 'include_dynamic_secrets=maybe', 'secrets=A&secrets=B'])(
    'for a query with %s is 403',
    async (part) => {
      expect(await ask(`/v3/configs/config/secrets/download?${part}`)).toMatchObject({
        status: 403,
        body: { code: 'invalid_input' },
      });
    },
  );

  test('for want of a right is 403, of a token 401, of the config 404', async () => {
    expect(await ask(DOWNLOAD, { token: 'reader' })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await ask(DOWNLOAD, { token: 'lessee' })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await ask(DOWNLOAD, { headers: { authorization: 'Bearer x' } })).toMatchObject({ status: 401 });
    expect(await ask(`${DOWNLOAD}&project=backend&config=dev`)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    expect(await ask(`${DOWNLOAD}&project=backend&config=prd`, { token: 'elsewhere' })).toMatchObject({ status: 404 });
    expect(await ask(`${DOWNLOAD}&secrets=NOBODY`)).toMatchObject({ status: 404 });
  });

  test('because it does not say which config is 403', async () => {
    expect(await ask(DOWNLOAD, { token: 'wide' })).toMatchObject({ status: 403, body: { code: 'invalid_input' } });
  });

  test('because a static secret is not there is 403 and begins nothing', async () => {
    const before = lab.provider.calls.provision;
    const { status, body } = await ask(DOWNLOAD);
    expect({ status, messages: body['messages'] }).toEqual({
      status: 403,
      messages: [expect.stringContaining('The value of ABSENT in backend/prd is not there.')],
    });
    expect(lab.provider.calls.provision).toBe(before);
  });
});

test('on a config of static secrets alone each failure has its own status', async () => {
  const site = (query: string): Promise<Answer> => ask(`${DOWNLOAD}${query}`, { token: 'elsewhere' });
  expect(await site('&secrets=COLOUR')).toMatchObject({ status: 200, body: { COLOUR: 'blue' } });
  expect(await site('&dynamic_secrets_ttl_sec=0')).toMatchObject({ status: 400, body: { code: 'invalid_ttl' } });
  expect(await site('&format=xml')).toMatchObject({ status: 400 });
  expect(await site('')).toMatchObject({ status: 502, body: { code: 'unavailable' } });
});

test('no answer of a config with dynamic secrets can be taken from a cache', async () => {
  const { headers, body } = await ask(TOKEN_ALONE, { headers: { 'if-none-match': '*' } });
  expect(headers.get('etag')).toBeNull();
  expect(headers.get('cache-control')).toBe('no-store');
  expect(body['TOKEN_TOKEN']).toBeDefined();
});

test('names of dynamic secrets and their parts select what is leased and shown', async () => {
  const whole = (await ask(TOKEN_ALONE)).body;
  expect(Object.keys(whole)).toEqual(['TOKEN', 'TOKEN_LEASE_EXPIRES_AT', 'TOKEN_LEASE_ID', 'TOKEN_TOKEN']);
  expect(whole['TOKEN']).toBe(whole['TOKEN_LEASE_ID']);
  const part = (await ask(`${DOWNLOAD}&secrets=SECOND_TOKEN,GREETING`)).body;
  expect(Object.keys(part)).toEqual(['GREETING', 'SECOND_LEASE_EXPIRES_AT', 'SECOND_LEASE_ID', 'SECOND_TOKEN']);
  expect(lab.provider.entities.size).toBe(2);
  expect((await ask('/v3/configs/config/secrets/names?include_dynamic_secrets=True')).body['names']).toContain(
    'SECOND_TOKEN',
  );
  expect((await ask('/v3/configs/config/secrets/names')).body['names']).toEqual(['ABSENT', 'GREETING']);
  expect((await ask('/v3/configs/config/secret?name=GREETING')).body).toMatchObject({ value: { computed: 'hello' } });
});

test('two equal requests at the same time get a lease each', async () => {
  lab.provider.before = (verb) => (verb === 'provision' ? pause(300) : undefined);
  const [first, second] = await Promise.all([ask(TOKEN_ALONE), ask(TOKEN_ALONE)]);
  expect(first.body['TOKEN_LEASE_ID']).not.toBe(second.body['TOKEN_LEASE_ID']);
  expect(lab.provider.entities.size).toBe(2);
});

test('a repetition after a lost connection gets the lease that was begun; another token or URL does not', async () => {
  lab.provider.before = (verb) => (verb === 'provision' ? pause(800) : undefined);
  const already = lab.provider.calls.provision;
  const lost = new AbortController();
  const first = ask(TOKEN_ALONE, { signal: lost.signal });
  first.catch(() => undefined);
  await eventually(async () => lab.provider.calls.provision === already + 1, 'the provider to be asked');
  lost.abort();
  await pause(100);
  const answers = await Promise.all([
    ask(TOKEN_ALONE),
    ask(TOKEN_ALONE, { token: 'other' }),
    ask(`${TOKEN_ALONE}&format=json`),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(lab.provider.calls.provision).toBe(already + 3);
  expect(lab.provider.entities.size).toBe(3);
});

test('of an OIDC issuer too, a lease whose connection was lost is not handed to another token of its holder', async () => {
  lab.provider.before = (verb) => (verb === 'provision' ? pause(800) : undefined);
  const { url } = await lab.startApi({
    authenticate: () =>
      Promise.resolve({
        tokenId: 'oidc/github',
        holder: 'github:repo:a/b',
        rights: new Set(['read', 'lease'] as const),
        scopes: [{ project: '*', config: '*' }],
        expiresAt: null,
        secret: null,
      }),
  });
  const download = async (token: string, signal?: AbortSignal): Promise<unknown> => {
    const headers = { authorization: `Bearer ${token}` };
    const where = '&project=backend&config=prd';
    const answer = await fetch(`${url}${TOKEN_ALONE}${where}`, {
      headers,
      ...(signal === undefined ? {} : { signal }),
    });
    return ((await answer.json()) as Answer['body'])['TOKEN_LEASE_ID'];
  };
  const already = lab.provider.calls.provision;
  const lost = new AbortController();
  download('one', lost.signal).catch(() => undefined);
  await eventually(async () => lab.provider.calls.provision === already + 1, 'the provider to be asked');
  lost.abort();
  await pause(100);
  const others = await download('another');
  expect(lab.provider.calls.provision).toBe(already + 2);
  const own = await download('one');
  expect(own).toEqual(expect.stringMatching(/^[a-z2-7]{24}$/));
  expect(own).not.toBe(others);
  expect(lab.provider.calls.provision).toBe(already + 2);
});

test('of requests sent one behind the other on a lost connection none leaves a lease, nor keeps a server from stopping', async () => {
  lab.provider.before = (verb) => (verb === 'provision' ? pause(500) : undefined);
  const already = lab.provider.calls.provision;
  const api = await lab.startApi();
  const raw = await openRaw(api.url);
  for (const path of [TOKEN_ALONE, `${TOKEN_ALONE}&format=json`]) {
    raw.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${lab.tokens['ci']!}\r\n\r\n`);
  }
  await eventually(async () => lab.provider.calls.provision === already + 2, 'both to be asked for');
  raw.socket.destroy();
  await api.stop();
  await nothingLeft();
});

test('one failure among several revokes what was already made', async () => {
  const made: string[] = [];
  lab.provider.before = async (verb, name) => {
    if (verb !== 'provision') return;
    made.push(name);
    if (made[0] === name) return;
    const isIssued = (): boolean => lab.audit.some(({ event, entity }) => event === 'issued' && entity === made[0]);
    await eventually(async () => isIssued(), 'the other one to be issued');
    await pause(300);
    throw new IntegrationError('Refused', { operation: 'make', entity: name });
  };
  const { status, body } = await ask(`${DOWNLOAD}&secrets=TOKEN,SECOND`);
  expect(status).toBe(403);
  expect(body['code']).toBe('refused');
  expect(made).toHaveLength(2);
  await nothingLeft();
});

test('asking for the head of an answer leases nothing', async () => {
  const already = lab.provider.calls.provision;
  const headers = { authorization: `Bearer ${lab.tokens['ci']!}` };
  const answer = await fetch(`${lab.url}${TOKEN_ALONE}`, { method: 'HEAD', headers });
  expect(answer.status).toBe(405);
  expect(lab.provider.calls.provision).toBe(already);
});

describe('POST of a lease', () => {
  const BODY = { project: 'backend', config: 'prd', dynamic_secret: 'TOKEN', ttl_sec: 60 };

  test.each([0, -1, 1.5, 2_147_483_648, null, '', 'True', true, [], {}])('with ttl_sec %j is 400', async (ttl) => {
    const before = lab.provider.calls.provision;
    expect(await post({ ...BODY, ttl_sec: ttl })).toMatchObject({
      status: 400,
      body: { code: 'invalid_ttl', field: 'ttl_sec' },
    });
    expect(lab.provider.calls.provision).toBe(before);
  });

  test('takes its fields from the query as well', async () => {
    const query = new URLSearchParams({ ...BODY, ttl_sec: '60' }).toString();
    const headers = { 'content-type': 'application/json' };
    expect(await ask(`${LEASES}?${query}`, { method: 'POST', headers })).toMatchObject({ status: 200 });
    const leaseId = [...lab.provider.entities.values()][0]!.leaseId!;
    // What is missing does not tell whether there is such a lease.
    for (const slug of [leaseId, 'a'.repeat(24)]) {
      const part = new URLSearchParams({ project: 'backend', config: 'prd', slug }).toString();
      expect(await ask(`${LEASES}/lease?${part}`, { method: 'DELETE', token: 'other' })).toMatchObject({
        status: 400,
        body: { field: 'dynamic_secret' },
      });
    }
    const rest = new URLSearchParams({ project: 'backend', config: 'prd', dynamic_secret: 'TOKEN', slug: leaseId });
    expect(await ask(`${LEASES}/lease?${rest.toString()}`, { method: 'DELETE', headers })).toMatchObject({
      status: 200,
    });
    await nothingLeft();
  });

  test('is revoked also where that cannot be written down', async () => {
    const { body } = await post(BODY);
    const rest = new URLSearchParams({
      project: 'backend',
      config: 'prd',
      dynamic_secret: 'TOKEN',
      slug: String(body['slug']),
    });
    lab.breakAudit(true);
    expect(await ask(`${LEASES}/lease?${rest.toString()}`, { method: 'DELETE' })).toMatchObject({
      status: 200,
      body: { state: 'accepted' },
    });
    await nothingLeft();
  });

  test.each([
    [{ ...BODY, dynamic_secret: 'NOBODY' }, 404, 'unknown_dynamic_secret'],
    [{ ...BODY, config: 'dev' }, 404, 'not_found'],
    [{ ...BODY, dynamic_secret: undefined }, 400, 'invalid_input'],
    [{ ...BODY, dynamic_secret: 7 }, 400, 'invalid_input'],
    [[], 400, 'invalid_input'],
  ])('of %j is refused', async (body, status, code) => {
    expect(await post(body)).toMatchObject({ status, body: { success: false, code } });
  });

  test('whose caller is gone leaves nothing', async () => {
    lab.provider.before = (verb) => (verb === 'provision' ? pause(500) : undefined);
    const already = lab.provider.calls.provision;
    const before = undelivered();
    const lost = new AbortController();
    const headers = { 'content-type': 'application/json' };
    const gone = ask(LEASES, { method: 'POST', signal: lost.signal, body: JSON.stringify(BODY), headers });
    gone.catch(() => undefined);
    await eventually(async () => lab.provider.calls.provision === already + 1, 'the provider to be asked');
    lost.abort();
    await eventually(async () => undelivered() > before, 'the revoke', 4_000);
    await nothingLeft();
  });

  test('without the right to lease is 403', async () => {
    expect(await post(BODY, 'reader')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });
});

test('what comes from the configuration cannot be changed', async () => {
  for (const [method, path] of [
    ['POST', '/v3/configs/config/secrets'],
    ['POST', '/v3/projects'],
    ['DELETE', '/v3/configs/config'],
    ['PUT', '/v3/environments/environment'],
  ] as const) {
    expect(await ask(path, { method })).toMatchObject({ status: 405, body: { code: 'read_only' } });
  }
});

test('lists are cut into pages', async () => {
  expect((await ask('/v3/projects?page=1&per_page=1')).body['projects']).toHaveLength(1);
  expect((await ask('/v3/projects?page=2&per_page=1')).body['projects']).toEqual([]);
  for (const query of ['page=0', 'per_page=1001', 'page=x', 'per_page=1.5']) {
    expect(await ask(`/v3/projects?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
  }
  expect((await ask('/v3/projects', { token: 'elsewhere' })).body['projects']).toMatchObject([{ name: 'site' }]);
  expect((await ask('/v3/configs?project=backend&environment=dev')).body['configs']).toEqual([]);
  expect(await ask('/v3/configs?project=nobody')).toMatchObject({ status: 404 });
});

describe('a DELETE whose body is not announced', () => {
  const head = (path: string, connection = 'keep-alive'): string =>
    `DELETE ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${lab.tokens['ci']!}\r\nconnection: ${connection}\r\n\r\n`;
  const BODY = `{"project":"backend","config":"prd","dynamic_secret":"TOKEN","slug":"${'a'.repeat(24)}"}`;

  test.each([
    ['', 'keep-alive', [BODY]],
    [' on a connection that is to be closed', 'close', [BODY]],
    [' behind its head', 'keep-alive', ['', BODY]],
    [' behind its head, on a connection that is to be closed', 'close', ['', BODY]],
    [' in pieces', 'keep-alive', ['', BODY.slice(0, 20), BODY.slice(20, 40), BODY.slice(40)]],
    [' in pieces, on a connection that is to be closed', 'close', [BODY.slice(0, 20), BODY.slice(20)]],
  ])('is read%s, answered, and its connection closed', async (_, connection, [first, ...rest]) => {
    const raw = await openRaw(lab.url);
    raw.write(head(`${LEASES}/lease`, connection) + first!);
    for (const piece of rest) {
      await pause(20);
      raw.write(piece);
    }
    await raw.closed;
    expect(raw.received()).toMatch(/^HTTP\/1\.1 404 /);
    expect(raw.received()).toContain(`There is no lease ${'a'.repeat(24)}`);
    expect(raw.received().toLowerCase()).toContain('connection: close');
  });

  test.each([
    ['that is no JSON to its end', '{"a":1}GET / HTTP/1.1\r\n\r\n'],
    ['that is two objects', '{"a":1}{"b":2}'],
    ['that is cut off', '{"a":'],
  ])('%s is refused, and nothing of it is taken for a request', async (_, body) => {
    const raw = await openRaw(lab.url);
    raw.write(head(`${LEASES}/lease`) + body);
    await raw.closed;
    expect(raw.received()).toMatch(/^HTTP\/1\.1 400 /);
    expect(raw.received().match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(raw.received()).toContain('The body is no JSON.');
  });

  test('and comes after the answer gets no second one', async () => {
    const raw = await openRaw(lab.url);
    raw.write(head('/v3/projects/project'));
    await eventually(async () => raw.received().includes('read_only'), 'the answer', 4_000);
    raw.write(BODY);
    await raw.closed;
    expect(raw.received().match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test('is not looked for behind another request', async () => {
    const raw = await openRaw(lab.url);
    raw.write('GET /v3/me HTTP/1.1\r\nhost: x\r\n\r\n{"a":1}');
    await raw.closed;
    expect(raw.received()).toContain('HTTP/1.1 400 Bad Request');
    expect(raw.received()).toContain('"code":"invalid_input"');
  });
});

test.each([
  ['nonsense\r\n\r\n', 400],
  [`GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  [`GET ${DOWNLOAD}&secrets=${'NAME,'.repeat(4_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 403],
  ['POST /v3/me HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n', 400],
])('what is no request (%#) gets the documented error', async (text, status) => {
  const raw = await openRaw(lab.url);
  raw.write(text);
  await raw.closed;
  const [answerHead, body] = raw.received().split('\r\n\r\n');
  expect(answerHead).toContain(`HTTP/1.1 ${status} `);
  expect(JSON.parse(body!)).toMatchObject({
    success: false,
    messages: [expect.any(String)],
    request_id: expect.any(String),
  });
});

test('a download that comes too often is 403, and says so', async () => {
  const limited = await openApiLab({ requestsPerMinute: 1 });
  try {
    const download = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${limited.tokens['ci']!}` };
      return (await fetch(`${limited.url}${DOWNLOAD}`, { headers })).status;
    };
    expect([await download(), await download()]).toEqual([200, 403]);
  } finally {
    await limited.close();
  }
}, 60_000);
