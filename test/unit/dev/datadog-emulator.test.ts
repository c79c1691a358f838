import { client, v1, v2 } from '@datadog/datadog-api-client';
import { startDatadogEmulator } from '../../../dev/datadog-emulator/datadog-emulator';
import type { DatadogEmulator, Permission } from '../../../dev/datadog-emulator/datadog-emulator';

let datadog: DatadogEmulator;

beforeEach(async () => {
  datadog = await startDatadogEmulator();
});

afterEach(async () => {
  jest.restoreAllMocks();
  await datadog.stop();
});

interface Pair {
  readonly apiKey: string;
  readonly applicationKey: string;
}

/** The vendor's own client, as whoever has these keys. What it cannot read fails. */
function as({ apiKey, applicationKey }: Pair) {
  const configuration = client.createConfiguration({
    baseServer: new client.BaseServerConfiguration(datadog.url, {}),
    authMethods: { apiKeyAuth: apiKey, appKeyAuth: applicationKey },
  });
  return {
    keys: new v2.KeyManagementApi(configuration),
    accounts: new v2.ServiceAccountsApi(configuration),
    users: new v2.UsersApi(configuration),
    authentication: new v1.AuthenticationApi(configuration),
    dashboards: new v1.DashboardsApi(configuration),
    monitors: new v1.MonitorsApi(configuration),
  };
}

function apiKeyRequest(name: string): v2.APIKeyCreateRequest {
  const request = new v2.APIKeyCreateRequest();
  request.data = new v2.APIKeyCreateData();
  request.data.type = 'api_keys';
  request.data.attributes = new v2.APIKeyCreateAttributes();
  request.data.attributes.name = name;
  return request;
}

function applicationKeyRequest(name: string, scopes?: string[]): v2.ApplicationKeyCreateRequest {
  const request = new v2.ApplicationKeyCreateRequest();
  request.data = new v2.ApplicationKeyCreateData();
  request.data.type = 'application_keys';
  request.data.attributes = new v2.ApplicationKeyCreateAttributes();
  request.data.attributes.name = name;
  if (scopes !== undefined) request.data.attributes.scopes = scopes;
  return request;
}

async function makeApiKey(name: string): Promise<{ id: string; key: string }> {
  const { data } = await as(datadog).keys.createAPIKey({ body: apiKeyRequest(name) });
  return { id: data!.id!, key: data!.attributes!.key! };
}

async function makeApplicationKey(name: string, scopes?: string[]): Promise<{ id: string; key: string }> {
  const { data } = await as(datadog).accounts.createServiceAccountApplicationKey({
    serviceAccountId: datadog.serviceAccountId,
    body: applicationKeyRequest(name, scopes),
  });
  return { id: data!.id!, key: data!.attributes!.key! };
}

/** As the vendor's client cannot: with headers of the answer, and with a body that is wrong. */
async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${datadog.url}${path}`, {
    method,
    headers: {
      'dd-api-key': datadog.apiKey,
      'dd-application-key': datadog.applicationKey,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? null : (JSON.parse(text) as unknown),
  };
}

const refused = (code: number, ...errors: string[]) => ({ code, body: { errors } });

describe('an API key', () => {
  test('is told with its creation, found by a part of its name, told again by its id, and deleted once', async () => {
    const { keys } = as(datadog);
    const before = Date.now();
    const { id, key } = await makeApiKey('orders-1');
    await makeApiKey('orders-10');
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    const { data, meta } = await keys.listAPIKeys({ filter: 'ORDERS-1' });
    expect(data!.map(({ attributes }) => attributes!.name)).toEqual(['orders-1', 'orders-10']);
    expect(data![0]).toMatchObject({ id, attributes: { last4: key.slice(-4) } });
    expect(JSON.stringify(data)).not.toContain(key);
    expect(meta).toMatchObject({ maxAllowed: 50, page: { totalFilteredCount: 2 } });
    const got = await keys.getAPIKey({ apiKeyId: id });
    expect(got.data!.attributes!.key).toBe(key);
    expect(got.data!.attributes!.createdAt!.getTime()).toBeGreaterThanOrEqual(before);
    await keys.deleteAPIKey({ apiKeyId: id });
    await expect(keys.deleteAPIKey({ apiKeyId: id })).rejects.toMatchObject(refused(404, 'API key not found'));
    await expect(keys.getAPIKey({ apiKeyId: id })).rejects.toMatchObject(refused(404, 'API key not found'));
    expect(datadog.apiKeys().map(({ name }) => name)).toEqual(['Leasehold', 'orders-10']);
  });

  test('is told once where the organization says so', async () => {
    datadog.setRevealedOnce({ apiKeys: true });
    const { id } = await makeApiKey('orders');
    const { data } = await as(datadog).keys.getAPIKey({ apiKeyId: id });
    expect(data!.attributes!.key).toBeUndefined();
  });

  test('submits data and nothing else, until it is deleted', async () => {
    const { id, key } = await makeApiKey('orders');
    const alone = { 'dd-api-key': key, 'dd-application-key': '' };
    expect(await as({ apiKey: key, applicationKey: '' }).authentication.validate()).toMatchObject({ valid: true });
    expect((await ask('POST', '/api/v2/series', { series: [] }, alone)).status).toBe(202);
    expect((await ask('GET', '/api/v2/api_keys', undefined, alone)).status).toBe(403);
    await as(datadog).keys.deleteAPIKey({ apiKeyId: id });
    await expect(as({ apiKey: key, applicationKey: '' }).authentication.validate()).rejects.toMatchObject(
      refused(403, 'Forbidden'),
    );
    expect((await ask('POST', '/api/v2/series', { series: [] }, alone)).status).toBe(403);
  });

  test('is not made beyond the maximum, and the last is not deleted', async () => {
    datadog.setMaxApiKeys(2);
    await makeApiKey('orders');
    await expect(makeApiKey('one too many')).rejects.toMatchObject({ code: 400 });
    const { keys } = as(datadog);
    expect((await keys.listAPIKeys()).meta!.maxAllowed).toBe(2);
    const [own, made] = datadog.apiKeys();
    await keys.deleteAPIKey({ apiKeyId: made!.id });
    await expect(keys.deleteAPIKey({ apiKeyId: own!.id })).rejects.toMatchObject({ code: 400 });
  });
});

test('a key is renamed, by the id that the request names twice', async () => {
  const api = await makeApiKey('orders');
  const application = await makeApplicationKey('orders', ['dashboards_read']);
  const named = (type: string, id: string) => ({ data: { type, id, attributes: { name: 'bills' } } });
  const change = async (path: string, body: unknown) => (await ask('PATCH', `/api/v2/${path}`, body)).status;
  expect(await change(`api_keys/${api.id}`, named('api_keys', 'another'))).toBe(400);
  expect(await change(`api_keys/${api.id}`, named('api_keys', api.id))).toBe(200);
  expect(await change('api_keys/none', named('api_keys', 'none'))).toBe(404);
  expect(await change(`application_keys/${application.id}`, named('application_keys', application.id))).toBe(200);
  expect(datadog.apiKeys()[1]).toMatchObject({ id: api.id, name: 'bills' });
  expect(datadog.applicationKeys()[1]).toMatchObject({ name: 'bills', scopes: ['dashboards_read'] });
  await as({ apiKey: api.key, applicationKey: application.key }).dashboards.listDashboards();
  datadog.deny('api_keys_write');
  expect(await change('api_keys/none', {})).toBe(403);
});

describe('a key that was renamed', () => {
  const rename = async (path: string, type: string, id: string) => {
    expect(
      (await ask('PATCH', `/api/v2/${path}/${id}`, { data: { type, id, attributes: { name: 'bills' } } })).status,
    ).toBe(200);
  };

  test('is listed under its new name alone, and told by its id with the right to list it', async () => {
    const { keys } = as(datadog);
    const { id } = await makeApiKey('orders');
    await rename('api_keys', 'api_keys', id);
    expect((await keys.listAPIKeys({ filter: 'orders' })).data).toEqual([]);
    expect((await keys.listAPIKeys({ filter: 'bills' })).data).toMatchObject([{ id }]);
    expect((await keys.getAPIKey({ apiKeyId: id })).data!.attributes!.name).toBe('bills');
    datadog.deny('api_keys_read');
    for (const apiKeyId of [id, '00000000-0000-4000-8000-000000000000']) {
      await expect(keys.getAPIKey({ apiKeyId })).rejects.toMatchObject(refused(403, 'Forbidden'));
    }
  });

  test('is the same of a service account, and told to whoever names that account', async () => {
    const { accounts, keys } = as(datadog);
    const { serviceAccountId } = datadog;
    const { id: appKeyId } = await makeApplicationKey('orders');
    await rename(`service_accounts/${serviceAccountId}/application_keys`, 'application_keys', appKeyId);
    expect((await accounts.listServiceAccountApplicationKeys({ serviceAccountId, filter: 'orders' })).data).toEqual([]);
    const { data } = await accounts.getServiceAccountApplicationKey({ serviceAccountId, appKeyId });
    expect(data!.attributes!.name).toBe('bills');
    expect((await keys.getApplicationKey({ appKeyId })).data!.attributes!.name).toBe('bills');
    const other = datadog.addServiceAccount('other');
    await expect(accounts.getServiceAccountApplicationKey({ serviceAccountId: other, appKeyId })).rejects.toMatchObject(
      refused(404, 'Application key not found'),
    );
    datadog.deny('service_account_write');
    await expect(accounts.getServiceAccountApplicationKey({ serviceAccountId, appKeyId })).rejects.toMatchObject(
      refused(403, 'Forbidden'),
    );
  });
});

describe('an application key of a service account', () => {
  test('is told with its creation alone, and is that account’s', async () => {
    const { accounts, keys } = as(datadog);
    const { serviceAccountId } = datadog;
    const { id, key } = await makeApplicationKey('orders', ['dashboards_read']);
    expect(key).toHaveLength(40);
    const { data, meta } = await accounts.listServiceAccountApplicationKeys({ serviceAccountId, filter: 'orders' });
    expect(data).toMatchObject([{ id, attributes: { name: 'orders', scopes: ['dashboards_read'] } }]);
    expect(data![0]!.relationships!.ownedBy!.data.id).toBe(serviceAccountId);
    expect(meta).toMatchObject({ maxAllowedPerUser: 1000, page: { totalFilteredCount: 1 } });
    const got = await accounts.getServiceAccountApplicationKey({ serviceAccountId, appKeyId: id });
    expect(JSON.stringify([data, got, await keys.getApplicationKey({ appKeyId: id })])).not.toContain(key);
    const other = { serviceAccountId: datadog.addServiceAccount('other'), appKeyId: id };
    const missing = refused(404, 'Application key not found');
    await expect(accounts.deleteServiceAccountApplicationKey(other)).rejects.toMatchObject(missing);
    expect((await keys.listCurrentUserApplicationKeys({ filter: 'orders' })).data).toEqual([]);
    expect((await keys.listApplicationKeys({ filterOwnedBy: serviceAccountId })).data).toHaveLength(1);
    await accounts.deleteServiceAccountApplicationKey({ serviceAccountId, appKeyId: id });
    await expect(accounts.deleteServiceAccountApplicationKey({ serviceAccountId, appKeyId: id })).rejects.toMatchObject(
      missing,
    );
    expect(datadog.applicationKeys()).toMatchObject([{ name: 'Leasehold', ownerId: datadog.orchestratorId }]);
  });

  test('is told again by its id in an organization that does not tell them once', async () => {
    datadog.setRevealedOnce({ applicationKeys: false });
    const { id, key } = await makeApplicationKey('orders');
    const { data } = await as(datadog).keys.getApplicationKey({ appKeyId: id });
    expect(data!.attributes!.key).toBe(key);
  });

  test('may be used for its scopes, with a live API key, until it is deleted', async () => {
    const leased = await makeApiKey('orders');
    const { id, key } = await makeApplicationKey('orders', ['dashboards_read']);
    const holder = as({ apiKey: leased.key, applicationKey: key });
    expect(await holder.keys.validateAPIKey()).toMatchObject({ status: 'ok' });
    expect(await holder.dashboards.listDashboards()).toMatchObject({ dashboards: [] });
    await expect(holder.monitors.listMonitors()).rejects.toMatchObject(refused(403, 'Forbidden'));
    await as(datadog).keys.deleteAPIKey({ apiKeyId: leased.id });
    await expect(holder.dashboards.listDashboards()).rejects.toMatchObject({ code: 403 });
    const withOther = as({ apiKey: datadog.apiKey, applicationKey: key });
    await withOther.dashboards.listDashboards();
    await as(datadog).keys.deleteApplicationKey({ appKeyId: id });
    await expect(withOther.dashboards.listDashboards()).rejects.toMatchObject({ code: 403 });
  });

  test('may be used for all that its owner may do, if it has no scopes', async () => {
    const { key } = await makeApplicationKey('orders');
    const holder = as({ apiKey: datadog.apiKey, applicationKey: key });
    await holder.dashboards.listDashboards();
    await holder.monitors.listMonitors();
    await expect(holder.keys.listAPIKeys()).rejects.toMatchObject({ code: 403 });
  });

  test('is not made beyond the maximum of its owner', async () => {
    datadog.setMaxApplicationKeysPerUser(1);
    await makeApplicationKey('orders');
    await expect(makeApplicationKey('one too many')).rejects.toMatchObject({ code: 400 });
    expect(datadog.applicationKeys()).toHaveLength(2);
  });

  test('is revoked with its owner, whose API keys stay', async () => {
    const { key } = await makeApplicationKey('orders');
    datadog.disableUser(datadog.serviceAccountId);
    const { users, accounts } = as(datadog);
    const { serviceAccountId } = datadog;
    expect((await accounts.listServiceAccountApplicationKeys({ serviceAccountId })).data).toEqual([]);
    await expect(makeApplicationKey('another')).rejects.toMatchObject({ code: 400 });
    const { data } = await users.getUser({ userId: serviceAccountId });
    expect(data!.attributes).toMatchObject({ disabled: true, serviceAccount: true, status: 'Disabled' });
    datadog.enableUser(serviceAccountId);
    await expect(as({ ...datadog, applicationKey: key }).dashboards.listDashboards()).rejects.toMatchObject({
      code: 403,
    });
  });

  test('is asked for of an account that exists and is one', async () => {
    const { accounts } = as(datadog);
    for (const serviceAccountId of ['a5f4a0f6-0000-4000-8000-000000000000', datadog.addHuman('Alice')]) {
      await expect(accounts.listServiceAccountApplicationKeys({ serviceAccountId })).rejects.toMatchObject({
        code: 404,
      });
    }
  });
});

describe('the orchestrator', () => {
  test('has keys that are checked, both', async () => {
    for (const wrong of [{ apiKey: 'f'.repeat(32) }, { applicationKey: 'f'.repeat(40) }, { applicationKey: '' }]) {
      await expect(as({ ...datadog, ...wrong }).keys.listAPIKeys()).rejects.toMatchObject(refused(403, 'Forbidden'));
    }
  });

  test('is refused while its owner is disabled; an API key it made is not', async () => {
    const { key } = await makeApiKey('orders');
    datadog.disableUser(datadog.orchestratorId);
    await expect(as(datadog).keys.listAPIKeys()).rejects.toMatchObject({ code: 403 });
    expect(await as({ apiKey: key, applicationKey: '' }).authentication.validate()).toMatchObject({ valid: true });
    datadog.enableUser(datadog.orchestratorId);
    await as(datadog).keys.listAPIKeys();
  });

  const attempts: [Permission, () => Promise<unknown>][] = [
    ['api_keys_read', () => as(datadog).keys.listAPIKeys()],
    ['api_keys_read', () => as(datadog).keys.getAPIKey({ apiKeyId: datadog.apiKeys()[0]!.id })],
    ['api_keys_write', () => makeApiKey('orders')],
    ['api_keys_delete', async () => as(datadog).keys.deleteAPIKey({ apiKeyId: datadog.apiKeys()[1]!.id })],
    ['service_account_write', () => makeApplicationKey('orders')],
    ['service_account_write', () => as(datadog).accounts.listServiceAccountApplicationKeys(datadog)],
    [
      'user_app_keys',
      () =>
        as(datadog).keys.createCurrentUserApplicationKey({
          body: applicationKeyRequest('orders'),
        }),
    ],
    ['org_app_keys_read', () => as(datadog).keys.listApplicationKeys()],
    ['org_app_keys_write', () => as(datadog).keys.deleteApplicationKey({ appKeyId: datadog.applicationKeys()[1]!.id })],
    ['user_access_read', () => as(datadog).users.getUser({ userId: datadog.serviceAccountId })],
  ];

  test.each(attempts)('needs the right to each thing it does: %s (case %#)', async (permission, attempt) => {
    await makeApiKey('spare');
    await makeApplicationKey('spare');
    datadog.deny(permission);
    await expect(attempt()).rejects.toMatchObject(refused(403, 'Forbidden'));
    datadog.grant(permission);
    await attempt();
  });

  test('reads who it is and what it may do', async () => {
    const { users } = as(datadog);
    const { data } = await users.getCurrentUser();
    expect(data!.id).toBe(datadog.orchestratorId);
    datadog.deny('api_keys_delete');
    const { data: permissions } = await users.listUserPermissions({ userId: data!.id! });
    const names = permissions!.map(({ attributes }) => attributes!.name);
    expect(names).toContain('api_keys_write');
    expect(names).not.toContain('api_keys_delete');
    const { data: all } = await users.listUsers();
    expect(all!.map(({ id }) => id)).toContain(datadog.serviceAccountId);
  });
});

describe('a list', () => {
  const namesOn = async (query: v2.KeyManagementApiListAPIKeysRequest) =>
    (await as(datadog).keys.listAPIKeys(query)).data!.map(({ attributes }) => attributes!.name);

  test('has pages, of ten unless asked otherwise', async () => {
    for (let number = 10; number < 35; number += 1) await makeApiKey(`key-${number}`);
    expect(await namesOn({ filter: 'key-' })).toHaveLength(10);
    expect(await namesOn({ filter: 'key-', pageSize: 20, pageNumber: 1 })).toEqual(
      Array.from({ length: 5 }, (_, index) => `key-${30 + index}`),
    );
    expect(await namesOn({ filter: 'key-', pageSize: 20, pageNumber: 2 })).toEqual([]);
    expect(await namesOn({ filter: 'key-', pageSize: 2, sort: '-name' })).toEqual(['key-34', 'key-33']);
    expect(await namesOn({ filter: 'key-', pageSize: 100 })).toHaveLength(25);
  });

  test.each([{ pageSize: 101 }, { pageSize: 0 }, { pageNumber: -1 }])(
    'of another size is refused: %j',
    async (query) => {
      await expect(as(datadog).keys.listAPIKeys(query)).rejects.toMatchObject({ code: 400 });
    },
  );

  test('is bounded by when its keys were made', async () => {
    await makeApiKey('early');
    await new Promise((resolve) => setTimeout(resolve, 5));
    const between = new Date().toISOString();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await makeApiKey('late');
    expect(await namesOn({ filterCreatedAtStart: between })).toEqual(['late']);
    expect(await namesOn({ filterCreatedAtEnd: between })).toEqual(['Leasehold', 'early']);
    expect((await ask('GET', '/api/v2/api_keys?filter[created_at][start]=soon')).status).toBe(400);
    expect((await ask('GET', '/api/v2/api_keys?sort=colour')).status).toBe(400);
  });
});

describe('a request', () => {
  const data = { type: 'api_keys', attributes: { name: 'orders' } };

  test.each([
    ['no JSON', '{'],
    ['nothing', {}],
    ['another type', { data: { ...data, type: 'application_keys' } }],
    ['no attributes', { data: { type: 'api_keys' } }],
    ['a blank name', { data: { ...data, attributes: { name: ' ' } } }],
    ['a name that is none', { data: { ...data, attributes: { name: 7 } } }],
  ])('for an API key with %s is refused', async (_, body) => {
    expect(await ask('POST', '/api/v2/api_keys', body)).toMatchObject({
      status: 400,
      body: { errors: [expect.stringContaining('Invalid request')] },
    });
    expect(datadog.apiKeys()).toHaveLength(1);
  });

  test.each([[['dashboards_read', 'everything']], [[]], ['dashboards_read']])(
    'for an application key with scopes %j is refused',
    async (scopes) => {
      const body = { data: { type: 'application_keys', attributes: { name: 'orders', scopes } } };
      const path = `/api/v2/service_accounts/${datadog.serviceAccountId}/application_keys`;
      expect((await ask('POST', path, body)).status).toBe(400);
      expect(datadog.applicationKeys()).toHaveLength(1);
    },
  );

  test('for what is not there is answered so', async () => {
    expect((await ask('GET', '/api/v2/nothing')).status).toBe(404);
    expect((await ask('PUT', '/api/v2/api_keys', {})).status).toBe(404);
    expect((await ask('POST', '/api/v2/api_keys', 'name=orders', { 'content-type': 'text/plain' })).status).toBe(415);
  });

  test('is answered with a request id, and a delete with nothing', async () => {
    const { id } = await makeApiKey('orders');
    const { status, headers, body } = await ask('DELETE', `/api/v2/api_keys/${id}`);
    expect([status, body]).toEqual([204, null]);
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('is refused in sentences or in JSON:API objects', async () => {
    datadog.setErrorStyle('json-api');
    const { status, headers, body } = await ask('DELETE', '/api/v2/api_keys/none');
    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe('application/vnd.api+json');
    expect(body).toEqual({ errors: [{ title: 'Error', detail: 'API key not found', status: '404' }] });
  });

  test('for a second key of the same name is granted, unless the organization says otherwise', async () => {
    await makeApiKey('orders');
    await makeApiKey('orders');
    await makeApplicationKey('orders');
    datadog.setUniqueNames(true);
    await expect(makeApiKey('orders')).rejects.toMatchObject({ code: 400 });
    await expect(makeApplicationKey('orders')).rejects.toMatchObject({ code: 400 });
    expect(datadog.apiKeys()).toHaveLength(3);
  });

  test('beyond the rate is refused until the period is over, and every answer says how many are left', async () => {
    datadog.setRateLimit({ limit: 2, periodSeconds: 1, operations: ['ListAPIKeys'] });
    const list = async () => ask('GET', '/api/v2/api_keys');
    expect((await list()).headers.get('x-ratelimit-remaining')).toBe('1');
    await list();
    const { status, headers, body } = await list();
    expect([status, body]).toEqual([429, { errors: ['Too many requests'] }]);
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-ratelimit-limit': '2',
      'x-ratelimit-period': '1',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': '1',
      'x-ratelimit-name': 'key_management',
    });
    expect((await ask('GET', '/api/v1/validate')).headers.get('x-ratelimit-limit')).toBeNull();
    const later = Date.now() + 1_000;
    jest.spyOn(Date, 'now').mockReturnValue(later);
    expect((await list()).status).toBe(200);
  });
});

describe('when it is told to fail,', () => {
  test('a request is refused before or after it was done', async () => {
    datadog.fault({ operation: 'CreateAPIKey', kind: 'status', status: 503 });
    await expect(makeApiKey('not made')).rejects.toMatchObject({ code: 503 });
    datadog.fault({ operation: 'CreateAPIKey', kind: 'status', isDoneFirst: true });
    await expect(makeApiKey('made')).rejects.toMatchObject({ code: 500 });
    expect(datadog.apiKeys().map(({ name }) => name)).toEqual(['Leasehold', 'made']);
  });

  test('the connection is cut, as often as it was told, for that operation', async () => {
    datadog.fault({ operation: 'DeleteAPIKey', kind: 'reset', isDoneFirst: true, times: 2 });
    const { id } = await makeApiKey('orders');
    await expect(ask('DELETE', `/api/v2/api_keys/${id}`)).rejects.toThrow();
    await expect(ask('DELETE', `/api/v2/api_keys/${id}`)).rejects.toThrow();
    expect((await ask('DELETE', `/api/v2/api_keys/${id}`)).status).toBe(404);
    expect(datadog.calls.map(({ operation, status }) => [operation, status])).toEqual([
      ['CreateAPIKey', 201],
      ['DeleteAPIKey', null],
      ['DeleteAPIKey', null],
      ['DeleteAPIKey', 404],
    ]);
  });

  test('a request waits, and is not waited for by the end', async () => {
    datadog.fault({ operation: '*', kind: 'delay', delayMs: 60_000 });
    const waiting = ask('GET', '/api/v1/validate');
    const settled = expect(waiting).rejects.toThrow();
    await datadog.stop();
    await settled;
    datadog = await startDatadogEmulator();
    datadog.fault({ operation: '*', kind: 'status' });
    datadog.clearFaults();
    expect((await ask('GET', '/api/v1/validate')).status).toBe(200);
  });
});

describe('where news travels slowly,', () => {
  const HOUR_MS = 3_600_000;

  test('a key is shown a while after it was made, and can be deleted before', async () => {
    datadog.setPropagation({ shownAfterMs: HOUR_MS });
    const { id } = await makeApiKey('orders');
    const { keys } = as(datadog);
    expect((await keys.listAPIKeys({ filter: 'orders' })).data).toEqual([]);
    await expect(keys.getAPIKey({ apiKeyId: id })).rejects.toMatchObject({ code: 404 });
    await keys.deleteAPIKey({ apiKeyId: id });
    datadog.setPropagation({});
    expect((await keys.listAPIKeys({ filter: 'orders' })).data).toEqual([]);
  });

  test('a key is honoured a while after it was made, and a while after it was deleted', async () => {
    const early = await makeApiKey('early');
    datadog.setPropagation({ honouredForMs: HOUR_MS });
    await as(datadog).keys.deleteAPIKey({ apiKeyId: early.id });
    const holder = as({ apiKey: early.key, applicationKey: '' }).authentication;
    expect(await holder.validate()).toMatchObject({ valid: true });
    datadog.setPropagation({});
    await expect(holder.validate()).rejects.toMatchObject({ code: 403 });
    const late = await makeApiKey('late');
    datadog.setPropagation({ honouredAfterMs: HOUR_MS });
    await expect(as({ apiKey: late.key, applicationKey: '' }).authentication.validate()).rejects.toMatchObject({
      code: 403,
    });
  });
});

test('what it shows of its keys has no values', async () => {
  const made = [await makeApiKey('orders'), await makeApplicationKey('orders')];
  const shown = JSON.stringify([datadog.apiKeys(), datadog.applicationKeys(), datadog.calls]);
  for (const { id, key } of made) {
    expect(shown).toContain(id);
    expect(shown).not.toContain(key);
  }
});

test('it takes the port that it is given, if that is free', async () => {
  const port = Number(new URL(datadog.url).port);
  const other = await startDatadogEmulator({ port });
  expect(other.url).not.toBe(datadog.url);
  await other.stop();
  await datadog.stop();
  const again = await startDatadogEmulator({ port });
  expect(again.url).toBe(datadog.url);
  await again.stop();
});
