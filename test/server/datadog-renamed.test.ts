import { openDatadogSetting, SETTING_TIMEOUT_MS } from '../support/datadog-setting';
import type { DatadogLease, DatadogSetting } from '../support/datadog-setting';

let setting: DatadogSetting;

beforeEach(async () => {
  setting = await openDatadogSetting();
}, SETTING_TIMEOUT_MS);

afterEach(() => setting.close());

const NEW_NAME = 'tidied up';

const looks = () => setting.emulator.calls.filter(({ operation }) => /^Get/.test(operation));
const isAlive = (id: string) =>
  [...setting.emulator.apiKeys(), ...setting.emulator.applicationKeys()].some((key) => key.id === id);

/** A lease whose key of this kind somebody gave another name. */
async function renamed(
  kind: 'api' | 'application',
  to = NEW_NAME,
): Promise<{ lease: DatadogLease; id: string; values: readonly string[] }> {
  const lease = setting.lease();
  const { facts, credential } = await lease.provision();
  await setting.renameKeys(kind, lease.name, to);
  setting.emulator.forgetCalls();
  return {
    lease,
    id: facts[kind === 'api' ? 'api_key_id' : 'app_key_id']!,
    values: [credential['API_KEY']!, credential['APP_KEY']!],
  };
}

describe.each(['api', 'application'] as const)('a lease whose %s key somebody renamed', (kind) => {
  test('does not end while it lives, says how it is called now, and ends once it has its name again', async () => {
    const { lease, id } = await renamed(kind);
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const error = await lease.deprovision().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ type: 'Refused', facts: { entity: lease.name } });
      for (const told of [id, `"${NEW_NAME}"`, `name it ${lease.name} again, or delete it by hand`]) {
        expect((error as Error).message).toContain(told);
      }
      // The rest of the pair goes all the same.
      expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [] });
      expect(isAlive(id)).toBe(true);
    }
    await setting.renameKeys(kind, NEW_NAME, lease.name);
    await lease.deprovision();
    expect(isAlive(id)).toBe(false);
  });

  test('ends once it is deleted by hand', async () => {
    const { lease } = await renamed(kind);
    await expect(lease.deprovision()).rejects.toMatchObject({ type: 'Refused' });
    await setting.deleteKeys(kind, NEW_NAME);
    expect(await lease.deprovision()).toEqual({ result: 'absent' });
    expect(setting.names('')).toEqual({ api: ['Leasehold'], application: ['Leasehold'] });
  });

  test('does not end because another key of its name was deleted', async () => {
    const { lease, id } = await renamed(kind);
    await (kind === 'api' ? setting.makeApiKey(lease.name) : setting.makeApplicationKey(lease.name));
    await expect(lease.deprovision()).rejects.toMatchObject({ type: 'Refused' });
    expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [] });
    expect(isAlive(id)).toBe(true);
  });

  test('ends like any other, and leaves it, where no fact told its id', async () => {
    const { lease, id } = await renamed(kind);
    expect(await lease.deprovision({ facts: {} })).toEqual({ result: 'absent' });
    expect(isAlive(id)).toBe(true);
  });
});

test('a holder who may rename keys does not keep one beyond the lease untold', async () => {
  const { emulator } = setting;
  emulator.grant('api_keys_write', emulator.serviceAccountId);
  const lease = setting.lease({ service_account: emulator.serviceAccountId, scopes: ['api_keys_write'] });
  const { facts, credential } = await lease.provision();
  const own = { apiKey: credential['API_KEY']!, applicationKey: credential['APP_KEY']! };
  await setting.renameKeys('api', lease.name, 'Agent on web-1', own);
  await expect(lease.deprovision()).rejects.toMatchObject({ message: expect.stringContaining('"Agent on web-1"') });
  expect(isAlive(facts['api_key_id']!)).toBe(true);
  expect(isAlive(facts['app_key_id']!)).toBe(false);
});

test.each([
  ['lines, colours and directions', 'a\nb\u001b[31mc\u202ed', '"a?b?[31mc?d"'],
  ['quotes', 'a" and name it root', `"a' and name it root"`],
  ['more than fits a sentence', 'ab '.repeat(100), `"${'ab '.repeat(13)}…"`],
  ['nothing that can be shown', '\u0007', '"?"'],
])('a new name that holds %s is told without', async (_, name, told) => {
  const { lease } = await renamed('api', name);
  const error = (await lease.deprovision().catch((thrown: unknown) => thrown)) as Error;
  expect(error.message).toContain(`under another name, ${told}, and`);
});

test('no value of a key is told, though Datadog tells it with the name and somebody pasted it into that', async () => {
  const { lease, values } = await renamed('application');
  await setting.renameKeys('application', NEW_NAME, `was ${values[1]!}`);
  const first = (await lease.deprovision().catch((thrown: unknown) => thrown)) as Error;
  expect(first.message).toContain('"was …"');
  const other = await renamed('api', 'mine');
  await setting.renameKeys('api', 'mine', other.values[0]!);
  const second = (await other.lease.deprovision().catch((thrown: unknown) => thrown)) as Error;
  expect(second.message).toContain('under another name, "…"');
  for (const value of [...values, ...other.values]) {
    expect(JSON.stringify([first, first.message, first.stack, second, second.message, second.stack])).not.toContain(
      value.slice(0, 12),
    );
  }
});

describe('where somebody wrote other facts into the history of a lease,', () => {
  test('the key that they name is told and never deleted', async () => {
    const { emulator } = setting;
    const lease = setting.lease({ keys: 'api' });
    const own = emulator.idOf(emulator.apiKey)!;
    await expect(lease.deprovision({ facts: { api_key_id: own } })).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining('"Leasehold"'),
    });
    expect(isAlive(own)).toBe(true);
  });

  test.each(['', '..', '../application_keys', 'x'.repeat(36), 'a'.repeat(32)])(
    'what is no id (%j) is not asked for',
    async (id) => {
      const lease = setting.lease();
      await lease.provision();
      await setting.deleteKeys('api', lease.name);
      await setting.deleteKeys('application', lease.name);
      setting.emulator.forgetCalls();
      expect(await lease.deprovision({ facts: { api_key_id: id, app_key_id: id } })).toEqual({ result: 'absent' });
      expect(looks()).toEqual([]);
    },
  );
});

describe('a removal', () => {
  test('that sees its keys deleted asks for none by its id: it is six calls', async () => {
    const lease = setting.lease();
    await lease.provision();
    setting.emulator.forgetCalls();
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
    expect(looks()).toEqual([]);
    expect(setting.emulator.calls).toHaveLength(6);
  });

  test('that did not see it asks once for each key, and its 404 is the end', async () => {
    const lease = setting.lease();
    await lease.provision();
    setting.emulator.fault({ operation: 'DeleteServiceAccountApplicationKey', kind: 'reset', isDoneFirst: true });
    setting.emulator.fault({ operation: 'DeleteAPIKey', kind: 'reset', isDoneFirst: true });
    await expect(lease.deprovision()).rejects.toMatchObject({ type: 'Unavailable' });
    setting.emulator.forgetCalls();
    expect(await lease.deprovision()).toEqual({ result: 'absent' });
    expect(looks()).toEqual([
      { operation: 'GetServiceAccountApplicationKey', status: 404 },
      { operation: 'GetAPIKey', status: 404 },
    ]);
    expect(setting.emulator.calls).toHaveLength(4);
    expect(setting.names(lease.leaseId)).toEqual({ api: [], application: [] });
  });
});

describe('a renamed application key whose service account Datadog says that it does not know', () => {
  const forget = () => {
    setting.emulator.fault({ operation: 'ListServiceAccountApplicationKeys', kind: 'status', status: 404 });
  };

  test('is told where all application keys may be looked at', async () => {
    const { lease, id } = await renamed('application');
    forget();
    await expect(lease.deprovision()).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining(`"${NEW_NAME}"`),
    });
    expect(isAlive(id)).toBe(true);
  });

  test('is gone by its word where they may not', async () => {
    const { lease } = await renamed('application');
    forget();
    setting.emulator.deny('org_app_keys_read');
    expect(await lease.deprovision()).toEqual({ result: 'absent' });
  });
});
