import { pause } from '../support/base-lab';
import { openDatadogSetting, SETTING_TIMEOUT_MS } from '../support/datadog-setting';
import type { DatadogSetting } from '../support/datadog-setting';
import { createFakeFence } from '../support/fake-fence';

let setting: DatadogSetting;

beforeEach(async () => {
  setting = await openDatadogSetting();
}, SETTING_TIMEOUT_MS);

afterEach(() => setting.close());

const operations = () => setting.emulator.calls.map(({ operation }) => operation);
const changes = () => operations().filter((operation) => /^(?:Create|Delete)/.test(operation));

/** Status of a call with leased keys: sending data needs the API key, reading needs both. */
async function send({ API_KEY }: Readonly<Record<string, string>>): Promise<number> {
  const headers = { 'DD-API-KEY': API_KEY!, 'content-type': 'application/json' };
  const place = `${setting.emulator.url}/api/v2/series`;
  return (await fetch(place, { method: 'POST', headers, body: '{"series":[]}' })).status;
}

async function read({ API_KEY, APP_KEY }: Readonly<Record<string, string>>, what = 'dashboard'): Promise<number> {
  const headers = { 'DD-API-KEY': API_KEY ?? setting.emulator.apiKey, 'DD-APPLICATION-KEY': APP_KEY! };
  return (await fetch(`${setting.emulator.url}/api/v1/${what}`, { headers })).status;
}

test('a lease yields a pair that works and dies with it', async () => {
  const lease = setting.lease();
  const made = await lease.provision();
  expect(Object.keys(made.credential)).toEqual(['API_KEY', 'APP_KEY', 'SITE']);
  expect(made).toMatchObject({
    usableAt: expect.any(Date),
    facts: { key_name: lease.name, service_account: setting.emulator.serviceAccountId },
    notes: [expect.stringContaining('stays so when the lease ends')],
  });
  expect(setting.names(lease.leaseId)).toEqual({ api: [lease.name], application: [lease.name] });
  expect([await send(made.credential), await read(made.credential)]).toEqual([202, 200]);
  expect(await read(made.credential, 'monitor')).toBe(403);
  await lease.extend();
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [] });
  expect([await send(made.credential), await read(made.credential)]).toEqual([403, 403]);
  expect(await lease.deprovision()).toEqual({ result: 'absent' });
  await expect(lease.extend()).rejects.toMatchObject({ type: 'NotFound' });
});

test('a lease of one kind has a key of that kind only, and asks for nothing of the other', async () => {
  const api = await setting.lease({ keys: 'api' }).provision();
  expect(Object.keys(api.credential)).toEqual(['API_KEY', 'SITE']);
  expect(api.usableAt).not.toBeNull();
  expect(await send(api.credential)).toBe(202);
  expect(operations().filter((operation) => operation.includes('Application'))).toEqual([]);
  setting.emulator.forgetCalls();
  const parameters = { keys: 'application', service_account: setting.emulator.serviceAccountId, unscoped: true };
  const application = await setting.lease(parameters).provision();
  expect(Object.keys(application.credential)).toEqual(['APP_KEY', 'SITE']);
  expect(application.usableAt).not.toBeNull();
  expect([await read(application.credential), await read(application.credential, 'monitor')]).toEqual([200, 200]);
  expect(operations().filter((operation) => /(?:Create|List)APIKey/.test(operation))).toEqual([]);
});

test.each([
  ['CreateServiceAccountApplicationKey', 'reset'],
  ['CreateServiceAccountApplicationKey', 'status'],
  ['CreateAPIKey', 'reset'],
  ['CreateAPIKey', 'status'],
] as const)('a %s whose answer is lost (%s) leaves one key of each kind', async (operation, kind) => {
  const lease = setting.lease();
  setting.emulator.fault({ operation, kind, isDoneFirst: true });
  const fence = createFakeFence();
  await expect(lease.provision({ fence })).rejects.toMatchObject({ type: 'Unavailable', facts: { operation } });
  expect(fence.withdrawn()).toBe(0);
  const { credential } = await lease.provision();
  expect(setting.names(lease.leaseId)).toEqual({ api: [lease.name], application: [lease.name] });
  expect([await send(credential), await read(credential)]).toEqual([202, 200]);
});

test('a key that an earlier attempt asked for and that appears late does not stay', async () => {
  const lease = setting.lease();
  const fence = createFakeFence(async (operation) => {
    if (operation === 'CreateAPIKey') await setting.makeApiKey(lease.name);
    if (operation === 'CreateServiceAccountApplicationKey') await setting.makeApplicationKey(lease.name);
  });
  const { credential } = await lease.provision({ fence });
  expect(setting.names(lease.leaseId)).toEqual({ api: [lease.name], application: [lease.name] });
  expect([await send(credential), await read(credential)]).toEqual([202, 200]);
});

test("another's keys whose names contain a lease's are left alone, however many", async () => {
  const lease = setting.lease();
  setting.emulator.setMaxApiKeys(500);
  const others = Array.from({ length: 105 }, (_, index) => `${lease.name}-${String(index)}`);
  for (const name of [`my-${lease.name}`, lease.name.toUpperCase(), ...others]) {
    await setting.makeApiKey(name);
    await setting.makeApplicationKey(name);
  }
  const before = setting.names('');
  await expect(lease.extend()).rejects.toMatchObject({ type: 'NotFound' });
  await lease.provision();
  await lease.extend();
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  expect(setting.names('')).toEqual(before);
});

test.each(['api', 'application'] as const)(
  'what is left of a pair whose %s key was deleted by hand is removed',
  async (kind) => {
    const lease = setting.lease();
    await lease.provision();
    await setting.deleteKeys(kind, lease.name);
    await expect(lease.extend()).rejects.toMatchObject({ type: 'NotFound', facts: { entity: lease.name } });
    // Of the other one there is only Datadog's word.
    expect(await lease.deprovision()).toEqual({ result: 'absent' });
    expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [] });
  },
);

test('a key whose answer was lost does not survive the next attempt, although lists show it late', async () => {
  const lease = setting.lease();
  setting.emulator.setPropagation({ shownAfterMs: 300 });
  setting.emulator.fault({ operation: 'CreateAPIKey', kind: 'reset', isDoneFirst: true });
  await expect(lease.provision()).rejects.toMatchObject({ type: 'Unavailable' });
  await lease.provision();
  expect(setting.names(lease.leaseId)).toEqual({ api: [lease.name], application: [lease.name] });
});

test('several keys of the name are all removed', async () => {
  const lease = setting.lease();
  await lease.provision();
  await setting.makeApiKey(lease.name);
  await setting.makeApplicationKey(lease.name);
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [] });
});

describe('a service account', () => {
  test('that is unknown or disabled refuses a lease by its name, and nothing is made', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000';
    await expect(setting.lease({ service_account: unknown, unscoped: true }).provision()).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining(`knows no service account ${unknown}`),
    });
    const { serviceAccountId } = setting.emulator;
    setting.emulator.disableUser(serviceAccountId);
    const lease = setting.lease();
    const fence = createFakeFence();
    await expect(lease.provision({ fence })).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining(`service account ${serviceAccountId} is disabled`),
    });
    expect(fence.withdrawn()).toBe(1);
    expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [] });
  });

  test('that is disabled took its keys with it, and the API key is removed', async () => {
    const lease = setting.lease();
    const { credential } = await lease.provision();
    setting.emulator.disableUser(setting.emulator.serviceAccountId);
    expect(await send(credential)).toBe(202);
    expect(await lease.deprovision()).toEqual({ result: 'absent' });
    expect(await send(credential)).toBe(403);
    expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [] });
  });

  test('that Datadog says is gone is believed only if its key is not listed elsewhere', async () => {
    const lease = setting.lease();
    await lease.provision();
    setting.emulator.fault({ operation: 'ListServiceAccountApplicationKeys', kind: 'status', status: 404 });
    await expect(lease.deprovision()).rejects.toMatchObject({ type: 'Unavailable' });
    expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [lease.name] });
    await lease.deprovision();
    expect(setting.names(lease.leaseId).application).toEqual([]);

    const other = setting.lease();
    await other.provision();
    await setting.deleteKeys('application', other.name);
    setting.emulator.fault({ operation: 'ListServiceAccountApplicationKeys', kind: 'status', status: 404 });
    // Not "removed": what is no deletion of ours proves nothing yet.
    expect(await other.deprovision()).toEqual({ result: 'absent' });
    expect(setting.names(other.leaseId)).toEqual({ api: [], application: [] });
  });
});

test('a delete that says 404 proves nothing while the key is still listed', async () => {
  const lease = setting.lease({ keys: 'api' });
  await lease.provision();
  setting.emulator.fault({ operation: 'DeleteAPIKey', kind: 'status', status: 404 });
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  expect(setting.names(lease.leaseId).api).toEqual([]);
});

test.each([
  ['api_keys_delete', 'api'],
  ['service_account_write', 'application'],
] as const)('without %s the removal names it, and the rest of the pair goes all the same', async (permission, kind) => {
  const lease = setting.lease();
  await lease.provision();
  setting.emulator.deny(permission);
  await expect(lease.deprovision()).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringContaining(`Grant the permission ${permission} `),
  });
  expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [], [kind]: [lease.name] });
  setting.emulator.grant(permission);
  expect(await lease.deprovision()).toEqual({ result: 'absent' });
  expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [] });
});

test.each([400, 404, 500])('what Datadog answers with %d of one kind does not keep the other alive', async (status) => {
  const lease = setting.lease();
  await lease.provision();
  const operation = 'DeleteServiceAccountApplicationKey';
  setting.emulator.fault({ operation, kind: 'status', status, times: 100 });
  await expect(lease.deprovision()).rejects.toMatchObject({ facts: { entity: lease.name } });
  expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [lease.name] });
  setting.emulator.clearFaults();
  await lease.deprovision();
  expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [] });
});

test.each(['setMaxApiKeys', 'setMaxApplicationKeysPerUser'] as const)(
  'a full quota (%s) is told as such and leaves nothing that the removal misses',
  async (set) => {
    const lease = setting.lease();
    setting.emulator[set](set === 'setMaxApiKeys' ? 1 : 0);
    await expect(lease.provision()).rejects.toMatchObject({ type: 'QuotaExceeded', facts: { httpStatus: 400 } });
    expect(changes().length).toBeLessThanOrEqual(2);
    await lease.deprovision();
    expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [] });
  },
);

test('a name that Datadog says is taken is tried again, and made in the end', async () => {
  const lease = setting.lease({ keys: 'api' });
  setting.emulator.setUniqueNames(true);
  setting.emulator.setPropagation({ shownAfterMs: 60_000 });
  await setting.makeApiKey(lease.name);
  await expect(lease.provision()).rejects.toMatchObject({ type: 'Unavailable' });
  setting.emulator.setPropagation({});
  await lease.provision();
  expect(setting.names(lease.leaseId).api).toEqual([lease.name]);
});

describe('a new pair', () => {
  /** The orchestrator's own keys are as new as the organization, and must be honoured by then. */
  async function honourAfter(honouredAfterMs: number): Promise<void> {
    await pause(honouredAfterMs);
    setting.emulator.setPropagation({ honouredAfterMs });
  }

  test('is waited for until Datadog accepts it', async () => {
    await honourAfter(200);
    const { credential, usableAt } = await setting.lease().provision();
    expect(usableAt).not.toBeNull();
    expect([await send(credential), await read(credential)]).toEqual([202, 200]);
  });

  test('is handed over with a note when that takes too long or is not wanted', async () => {
    await honourAfter(800);
    const late = await setting.lease().provision({ withinMs: 500 });
    expect(late).toMatchObject({ usableAt: null });
    expect(late.notes[0]).toContain('was not yet seen to accept the keys');
    const hasty = await setting.lease({ keys: 'api', wait_until_usable: false }).provision();
    expect(hasty.usableAt).toBeNull();
    expect(hasty.notes[0]).toContain('Not waited for');
  });
});

describe('an attempt whose fence is closed', () => {
  test('sends nothing more', async () => {
    const lease = setting.lease();
    const fence = createFakeFence();
    fence.refuseFrom(2);
    await expect(lease.provision({ fence })).rejects.toMatchObject({ name: 'FenceClosed' });
    expect(changes()).toEqual(['CreateServiceAccountApplicationKey']);
    const late = createFakeFence();
    late.expireFrom(1);
    setting.emulator.forgetCalls();
    await expect(lease.deprovision({ fence: late })).rejects.toMatchObject({ type: 'Unavailable' });
    expect([changes(), late.withdrawn()]).toEqual([[], 1]);
    expect(setting.names(lease.leaseId).application).toEqual([lease.name]);
  });

  test('passes its fence before each change, and asks the rate before each call', async () => {
    const lease = setting.lease();
    const fence = createFakeFence();
    await lease.provision({ fence });
    await lease.deprovision({ fence });
    expect(fence.passed).toEqual(changes());
    expect(setting.throttled()).toBe(setting.emulator.calls.length);
  });

  test('gives up what it reads', async () => {
    const lease = setting.lease();
    const fence = createFakeFence();
    setting.emulator.fault({ operation: 'ListServiceAccountApplicationKeys', kind: 'delay', delayMs: 20_000 });
    const provision = lease.provision({ fence });
    setTimeout(() => {
      fence.abort(new Error('over'));
    }, 100);
    await expect(provision).rejects.toThrow('over');
  });
});
