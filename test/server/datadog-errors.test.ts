import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IncomingMessage, Server } from 'node:http';
import { datadog } from '../../activities/integrations/datadog/datadog';
import { IntegrationError } from '../../activities/integrations/integration';
import type { Integration } from '../../activities/integrations/integration';
import { openDatadogSetting, SETTING_TIMEOUT_MS } from '../support/datadog-setting';
import type { DatadogSetting } from '../support/datadog-setting';
import { createFakeFence } from '../support/fake-fence';

interface Given {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const API_KEY = 'CANARYAPIKEY0123456789abcdef0123';
const APP_KEY = 'CANARYAPPLICATIONKEY0123456789abcdef0123';
const SECRETS = { 'env:API': API_KEY, 'env:APP': APP_KEY };

let setting: DatadogSetting;
let server: Server;
/** A Datadog that answers everything as the test wants it. */
let strange: Integration;
let requests: IncomingMessage[];
let answer: Given | ((request: IncomingMessage) => Given);

beforeAll(async () => {
  setting = await openDatadogSetting();
  server = createServer((request, response) => {
    requests.push(request);
    const { status, headers = {}, body = '' } = typeof answer === 'function' ? answer(request) : answer;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  strange = setting.open({ endpoint: `http://127.0.0.1:${String(port)}` }, SECRETS);
}, SETTING_TIMEOUT_MS);

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await setting.close();
});

beforeEach(() => {
  requests = [];
});

afterEach(() => {
  jest.restoreAllMocks();
  for (const name of ['DD_SITE', 'DD_API_KEY', 'DD_APP_KEY', 'DEBUG']) Reflect.deleteProperty(process.env, name);
});

/** What the strange Datadog makes of a removal. */
async function fail(): Promise<IntegrationError> {
  const error = await setting
    .lease({ keys: 'api' }, strange)
    .deprovision()
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(IntegrationError);
  return error as IntegrationError;
}

test('no error repeats what Datadog says, and nothing is written to the console', async () => {
  const written: string[] = [];
  for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) {
    jest.spyOn(console, method).mockImplementation((...texts: unknown[]) => {
      written.push(texts.map(String).join(' '));
    });
  }
  const echo = `Your keys are ${API_KEY} and ${APP_KEY}`;
  const errors = [{ errors: [echo] }, { errors: [{ title: echo, detail: echo }] }].map((body) => JSON.stringify(body));
  for (const status of [200, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503]) {
    for (const body of [...errors, `<html>${echo}</html>`, `{"data": ${echo}`]) {
      const headers = { 'x-request-id': API_KEY, 'dd-request-id': APP_KEY, 'x-ratelimit-reset': API_KEY };
      answer = { status, headers, body };
      const error = await setting
        .lease({ service_account: setting.emulator.serviceAccountId, unscoped: true }, strange)
        .provision()
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(IntegrationError);
      const told = JSON.stringify(error) + String(error) + String((error as Error).stack);
      expect(told).not.toContain('CANARY');
      expect(error).not.toHaveProperty('cause');
    }
  }
  expect(written).toEqual([]);
});

test('a limited rate is told with the seconds that Datadog says, at most five minutes', async () => {
  const body = '{"errors":["Too many requests"]}';
  answer = { status: 429, body, headers: { 'x-ratelimit-reset': '7' } };
  expect(await fail()).toMatchObject({ type: 'Throttled', facts: { retryAfterMs: 7_000 } });
  expect(requests).toHaveLength(1);
  answer = { status: 429, body, headers: { 'x-ratelimit-reset': '86400' } };
  expect(await fail()).toMatchObject({ type: 'Throttled', facts: { retryAfterMs: 300_000 } });
  answer = { status: 429, body, headers: { 'x-ratelimit-reset': 'soon' } };
  expect((await fail()).facts.retryAfterMs).toBeUndefined();
  answer = { status: 429, body, headers: { 'x-ratelimit-reset': 'soon', 'retry-after': '3' } };
  expect(await fail()).toMatchObject({ type: 'Throttled', facts: { retryAfterMs: 3_000 } });
  // Who went by it would never back off.
  answer = { status: 429, body, headers: { 'x-ratelimit-reset': '0' } };
  expect((await fail()).facts.retryAfterMs).toBeUndefined();
});

test.each([
  ['The maximum number of keys is reached', 'QuotaExceeded'],
  ['API key limit exceeded', 'QuotaExceeded'],
  ['The key NAME is not valid', 'InvalidInput'],
  ['Unknown scopes: cost_limit_read, unique_disabled', 'InvalidInput'],
  ['A key NAME already exists', 'Unavailable'],
])('a creation that is refused with "%s" is told as %s, whatever the prefix of names', async (sentence, type) => {
  const name = 'limit-already-testdepl-aaaaaaaaaaaaaaaaaaaaaaaa';
  answer = ({ method }) =>
    method === 'POST'
      ? { status: 400, body: JSON.stringify({ errors: [sentence.replace('NAME', name)] }) }
      : { status: 200, body: '{"data":[]}' };
  const attempt = {
    deployment: 'testdepl',
    leaseId: 'a'.repeat(24),
    fence: createFakeFence(),
    deadline: new Date(Date.now() + 20_000),
  };
  const parameters = datadog.parameters.parse({ keys: 'api' });
  await expect(
    strange.provision({ name, apiKey: true, serviceAccount: null }, parameters, new Date(), attempt),
  ).rejects.toMatchObject({ type });
});

test.each([
  ['a page of a proxy', { status: 200, body: '<html></html>' }],
  ['half an answer', { status: 200, body: '{"data":[' }],
  ['another answer', { status: 200, body: '{"ok":true}' }],
  ['a key without a name', { status: 200, body: '{"data":[{"id":"1","type":"api_keys","attributes":{}}]}' }],
  ["a proxy's 404", { status: 404, body: '<html>no such page</html>' }],
  ["a proxy's 403", { status: 403, body: '<html>denied</html>' }],
  ['a redirection', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
])('%s is taken neither for an empty list nor for an answer of Datadog', async (_, given: Given) => {
  answer = given;
  expect((await fail()).type).toBe('Unavailable');
  expect(requests).toHaveLength(1);
});

test('a 404 of the list of API keys is no proof that there is none', async () => {
  answer = { status: 404, body: '{"errors":["Not found"]}' };
  expect((await fail()).type).toBe('NotFound');
});

describe('the key of a lease that no list shows any more', () => {
  const facts = { api_key_id: '00000000-0000-4000-8000-000000000000' };
  /** A lease of a Datadog that lists nothing and gives this for an answer about that one key. */
  const leaseWhere = (giveOf: (name: string) => Given) => {
    const lease = setting.lease({ keys: 'api' }, strange);
    answer = ({ url }) => (url!.includes(facts.api_key_id) ? giveOf(lease.name) : { status: 200, body: '{"data":[]}' });
    return lease;
  };
  const shown = (attributes: object) => ({
    status: 200,
    body: JSON.stringify({ data: { type: 'api_keys', attributes } }),
  });

  test('is looked for again where it is shown by its id, under the name of the lease', async () => {
    const lease = leaseWhere((name) => shown({ name }));
    await expect(lease.deprovision({ facts })).rejects.toMatchObject({
      type: 'Unavailable',
      message: expect.stringContaining('does not list it'),
    });
    expect(requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test.each([
    ['an answer without its name', shown({ last4: '0123' })],
    ['another answer', { status: 200, body: '{"ok":true}' }],
    ["a proxy's 404", { status: 404, body: '<html>no such page</html>' }],
    ['a failure', { status: 500, body: '{"errors":["Oops"]}' }],
  ])('is not taken to be gone because of %s', async (_, given: Given) => {
    await expect(leaseWhere(() => given).deprovision({ facts })).rejects.toMatchObject({ type: 'Unavailable' });
  });

  test('is gone when Datadog says that there is none of its id', async () => {
    const lease = leaseWhere(() => ({ status: 404, body: '{"errors":["API key not found"]}' }));
    expect(await lease.deprovision({ facts })).toEqual({ result: 'absent' });
  });
});

test('sites and keys of the environment have no effect', async () => {
  process.env['DD_SITE'] = 'datadoghq.invalid';
  process.env['DD_API_KEY'] = 'from the environment';
  process.env['DD_APP_KEY'] = 'from the environment';
  const lease = setting.lease();
  await lease.provision();
  expect(setting.names(lease.leaseId)).toEqual({ api: [lease.name], application: [lease.name] });
  await lease.deprovision();
  answer = { status: 200, body: '{"data":[]}' };
  await setting.lease({ keys: 'api' }, strange).deprovision();
  expect(requests[0]!.headers).toMatchObject({ 'dd-api-key': API_KEY, 'dd-application-key': APP_KEY });
});

test('a new API key is tried alone, without the application key of the orchestrator', async () => {
  process.env['DD_APP_KEY'] = 'from the environment';
  const value = 'f'.repeat(32);
  const lease = setting.lease({ keys: 'api' }, strange);
  const made = { id: 'id', type: 'api_keys', attributes: { name: lease.name, key: value } };
  let listed: object[] = [];
  answer = ({ method, url }) => {
    if (method === 'POST') {
      listed = [made];
      return { status: 201, body: JSON.stringify({ data: made }) };
    }
    if (url!.includes('validate')) return { status: 200, body: '{"valid":true}' };
    return { status: 200, body: JSON.stringify({ data: listed }) };
  };
  const { credential } = await lease.provision();
  expect(credential).toEqual({ API_KEY: value, SITE: 'datadoghq.com' });
  const tried = requests.filter(({ url }) => url!.includes('validate'));
  expect(tried.length).toBeGreaterThan(1);
  for (const { headers } of tried) {
    expect(headers['dd-api-key']).toBe(value);
    expect(headers).not.toHaveProperty('dd-application-key');
  }
});

test('a reference that cannot be resolved is named', async () => {
  const integration = setting.open({}, { 'env:API': 'x' });
  await expect(setting.lease({ keys: 'api' }, integration).deprovision()).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringContaining('env:APP'),
  });
});

test.each(['two words', 'a\nb', 'clé'])(
  'a reference that holds no key (%j) is named, and the value is not',
  async (value) => {
    const integration = setting.open({}, { 'env:API': 'x', 'env:APP': value });
    const refusal = setting.lease({ keys: 'api' }, integration).deprovision();
    await expect(refusal).rejects.toMatchObject({ type: 'Refused', message: expect.stringContaining('env:APP holds') });
    await expect(refusal).rejects.not.toMatchObject({ message: expect.stringContaining(value) });
  },
);
