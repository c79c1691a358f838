import { openDatadogSetting } from '../support/datadog-setting';
import type { DatadogSetting } from '../support/datadog-setting';
import { createFakeFence } from '../support/fake-fence';

let setting: DatadogSetting;

beforeEach(async () => {
  setting = await openDatadogSetting();
});

afterEach(() => setting.close());

const operations = () => setting.emulator.calls.map(({ operation }) => operation);

/** Status of a call with leased keys: sending data needs the API key, reading needs both. */
async function send({ API_KEY }: Readonly<Record<string, string>>): Promise<number> {
  const headers = { 'DD-API-KEY': API_KEY!, 'content-type': 'application/json' };
  return (await fetch(`${setting.emulator.url}/api/v2/series`, { method: 'POST', headers, body: '{"series":[]}' }))
    .status;
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
  expect([await send(made.credential), await read(made.credential), await read(made.credential, 'monitor')]).toEqual([
    202, 200, 403,
  ]);
  await lease.extend();
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [] });
  expect([await send(made.credential), await read(made.credential)]).toEqual([403, 403]);
  expect(await lease.deprovision()).toEqual({ result: 'absent' });
  await expect(lease.extend()).rejects.toMatchObject({ type: 'NotFound' });
});

test('a lease of one kind has keys of that kind only, and asks for nothing of the other', async () => {
  const api = await setting.lease({ keys: 'api' }).provision();
  expect(Object.keys(api.credential)).toEqual(['API_KEY', 'SITE']);
  expect(await send(api.credential)).toBe(202);
  expect(operations().filter((operation) => operation.includes('Application'))).toEqual([]);
  setting.emulator.forgetCalls();
  const lease = setting.lease({
    keys: 'application',
    service_account: setting.emulator.serviceAccountId,
    unscoped: true,
  });
  const application = await lease.provision();
  expect(Object.keys(application.credential)).toEqual(['APP_KEY', 'SITE']);
  expect([await read(application.credential), await read(application.credential, 'monitor')]).toEqual([200, 200]);
  expect(operations().filter((operation) => /APIKeys?$/.test(operation) && operation !== 'ValidateAPIKey')).toEqual([]);
});
