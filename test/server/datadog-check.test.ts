import { openDatadogSetting, SETTING_TIMEOUT_MS } from '../support/datadog-setting';
import type { DatadogSetting } from '../support/datadog-setting';
import { DEPLOYMENT } from '../support/datadog-setting';

let setting: DatadogSetting;
const { signal } = new AbortController();

beforeEach(async () => {
  setting = await openDatadogSetting();
}, SETTING_TIMEOUT_MS);

afterEach(() => setting.close());

describe('the check', () => {
  test('of an orchestrator that may do all finds nothing missing, and changes nothing', async () => {
    const before = setting.names('');
    const check = await setting.integration.check(signal);
    expect(check).toMatchObject({
      identity: expect.stringContaining(setting.emulator.orchestratorId),
      missingRights: [],
      untriedRights: [],
      quota: { used: 1, limit: 50 },
    });
    expect(check.notes).toEqual([expect.stringContaining('has no scopes')]);
    expect(setting.names('')).toEqual(before);
  });

  test.each([
    'api_keys_read',
    'api_keys_write',
    'api_keys_delete',
    'service_account_write',
    'org_app_keys_read',
  ] as const)('names a missing %s, and nothing else', async (permission) => {
    setting.emulator.deny(permission);
    expect(await setting.integration.check(signal)).toMatchObject({ missingRights: [permission], untriedRights: [] });
  });

  test('asks only for what the kinds of key that are leased here need', async () => {
    setting.emulator.deny('service_account_write');
    setting.emulator.deny('org_app_keys_read');
    expect(await setting.open({ keys: 'api' }).check(signal)).toMatchObject({ missingRights: [] });
    const check = await setting.open({ keys: 'application' }).check(signal);
    expect(check).toMatchObject({ missingRights: ['service_account_write', 'org_app_keys_read'], quota: null });
  });

  test('refuses keys that Datadog does not accept', async () => {
    const integration = setting.open({}, { 'env:API': setting.emulator.apiKey, 'env:APP': 'x'.repeat(40) });
    await expect(integration.check(signal)).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining('does not accept'),
    });
  });

  test('tells when there is little room', async () => {
    setting.emulator.setMaxApiKeys(1);
    const { notes } = await setting.integration.check(signal);
    expect(notes).toContain('There is room for 0 more of at most 1 API keys in the Datadog organization.');
  });
});

test('the quota is that of API keys, where any are leased and it may be known', async () => {
  expect(await setting.integration.quota(signal)).toEqual({
    what: 'API keys in the Datadog organization',
    used: 1,
    limit: 50,
  });
  expect(await setting.open({ keys: 'application' }).quota(signal)).toBeNull();
  setting.emulator.deny('api_keys_read');
  expect(await setting.integration.quota(signal)).toBeNull();
});

test('everything under the prefix is listed, whosever it is, and can be looked at and removed as listed', async () => {
  setting.emulator.setMaxApiKeys(500);
  const lease = setting.lease();
  await lease.provision();
  const foreign = `leasehold-otherdep-${lease.leaseId}`;
  await setting.makeApplicationKey(foreign, setting.emulator.addServiceAccount('another'));
  await setting.makeApiKey('leasehold-made-by-hand');
  for (let index = 0; index < 120; index += 1) await setting.makeApiKey(`not-leasehold-${String(index)}`);
  const entities = [];
  for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
    const page = await setting.integration.list(cursor, signal);
    entities.push(...page.entities);
    cursor = page.next;
  }
  expect(entities.map(({ entity }) => entity).sort()).toEqual(
    [lease.name, lease.name, foreign, 'leasehold-made-by-hand'].sort(),
  );
  const ours = entities.filter(({ entity }) => entity === lease.name);
  expect(ours.map(({ mark }) => mark)).toEqual([
    { deployment: DEPLOYMENT, leaseId: lease.leaseId },
    { deployment: DEPLOYMENT, leaseId: lease.leaseId },
  ]);
  expect(ours.every(({ createdAt }) => Date.now() - createdAt!.getTime() < 60_000)).toBe(true);
  expect(entities.find(({ entity }) => entity === foreign)!.mark).toMatchObject({ deployment: 'otherdep' });
  expect(entities.find(({ entity }) => entity === 'leasehold-made-by-hand')!.mark).toBeNull();

  const attempt = { deployment: DEPLOYMENT, leaseId: lease.leaseId, deadline: new Date(Date.now() + 10_000) };
  for (const { handle } of ours) {
    expect(await setting.integration.readMarks(handle, signal)).toEqual({
      deployment: DEPLOYMENT,
      leaseId: lease.leaseId,
      expiresAt: null,
    });
    const fence = { pass: () => Promise.resolve(), withdraw: () => undefined, holds: () => true, signal };
    expect(await setting.integration.deprovision(handle, { ...attempt, fence })).toEqual({ result: 'removed' });
    expect(await setting.integration.readMarks(handle, signal)).toBeNull();
  }
  expect(setting.names(lease.name)).toEqual({ api: [], application: [] });
});

test('the marks on a key that is listed are its name’s though its service account is said to be unknown', async () => {
  const lease = setting.lease();
  setting.emulator.fault({ operation: 'ListServiceAccountApplicationKeys', kind: 'status', status: 404 });
  expect(await setting.integration.readMarks(lease.handle, signal)).toEqual({
    deployment: DEPLOYMENT,
    leaseId: lease.leaseId,
    expiresAt: null,
  });
  expect(await setting.integration.readMarks(lease.handle, signal)).toBeNull();
});
