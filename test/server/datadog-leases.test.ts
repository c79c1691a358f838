import { randomUUID } from 'node:crypto';
import { SWEEP_WORKFLOW, WORKFLOW_QUEUE } from '../../workflows/contract';
import type { SweepReport } from '../../workflows/contract';
import { eventually } from '../support/base-lab';
import { findLeaks, historyText } from '../support/canaries';
import { API, APPLICATION, openDatadogLab, PAIR } from '../support/datadog-lab';
import type { DatadogLab } from '../support/datadog-lab';
import { startWebhookReceiver } from '../support/webhook-receiver';
import type { WebhookReceiver } from '../support/webhook-receiver';

// Leases that are stuck wait for their turn, and alerts for whether the trouble lasts.
jest.setTimeout(90_000);

let lab: DatadogLab;

let alerts: WebhookReceiver;

beforeAll(async () => {
  alerts = await startWebhookReceiver();
  lab = await openDatadogLab(alerts.url);
  await lab.startWorker();
}, 60_000);

afterAll(async () => {
  await lab.close();
  await alerts.close();
});

afterEach(() => {
  const { emulator } = lab;
  for (const permission of ['api_keys_delete', 'service_account_write'] as const) emulator.grant(permission);
  emulator.setMaxApplicationKeysPerUser(1_000);
  emulator.setRateLimit(undefined);
  emulator.clearFaults();
  emulator.enableUser(emulator.serviceAccountId);
});

/** Everything at Datadog that is a lease's. */
function keysOf(leaseId: string): string[] {
  const keys = [...lab.emulator.apiKeys(), ...lab.emulator.applicationKeys()];
  return keys.map(({ name }) => name).filter((name) => name.includes(leaseId));
}

/** As somebody would by hand. */
async function askDatadog(method: 'PATCH' | 'DELETE', path: string, body?: object): Promise<void> {
  const { url, apiKey, applicationKey } = lab.emulator;
  const headers = { 'DD-API-KEY': apiKey, 'DD-APPLICATION-KEY': applicationKey, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/api/v2/${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(answer.ok).toBe(true);
}

async function renameApiKey(id: string, name: string): Promise<void> {
  await askDatadog('PATCH', `api_keys/${id}`, { data: { type: 'api_keys', id, attributes: { name } } });
}

const calls = (pattern: RegExp) => lab.emulator.calls.filter(({ operation }) => pattern.test(operation));

test('a lease begins with keys that work and ends with none, when revoked and by its time', async () => {
  const [revoked, expiring] = await Promise.all(['10m', '2s'].map((ttl) => lab.leases.issue({ ...PAIR, ttl })));
  expect(Object.keys(revoked!.credential)).toEqual(['API_KEY', 'APP_KEY', 'SITE']);
  expect(keysOf(revoked!.leaseId)).toHaveLength(2);
  await revoked!.extend('20m');
  expect(await revoked!.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
  expect(await lab.outcome(expiring!.leaseId)).toMatchObject({ state: 'expired', failure: null });
  expect([...keysOf(revoked!.leaseId), ...keysOf(expiring!.leaseId)]).toEqual([]);
});

test.each([
  ['api_keys_delete', API],
  ['service_account_write', APPLICATION],
] as const)(
  'without %s a lease is stuck and says so, and ends by itself once it is granted',
  async (permission, request) => {
    const lease = await lab.leases.issue({ ...request, ttl: '10m' });
    lab.emulator.deny(permission);
    await lease.revoke();
    await lab.until(lease.leaseId, 'stuck');
    expect(keysOf(lease.leaseId)).toHaveLength(1);
    await lab.untilFailing(lease.leaseId, `Grant the permission ${permission} `);
    // One alert for an integration's trouble, whichever of its leases is stuck.
    await eventually(
      async () => alerts.received.some(({ body }) => body.includes('Grant the permission ')),
      'an alert',
    );
    lab.emulator.grant(permission);
    expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'revoked' });
    expect(keysOf(lease.leaseId)).toEqual([]);
  },
);

test('a disabled service account fails issues by its name, and leases on it end', async () => {
  const lease = await lab.leases.issue({ ...PAIR, ttl: '10m' });
  const { serviceAccountId } = lab.emulator;
  lab.emulator.disableUser(serviceAccountId);
  await expect(lab.leases.issue({ ...PAIR, ttl: '10m' })).rejects.toMatchObject({
    code: 'Refused',
    message: expect.stringContaining(`${serviceAccountId} is disabled`),
  });
  expect(await lease.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
  expect(keysOf(lease.leaseId)).toEqual([]);
});

test('a full quota fails an issue at once and in plain words, and is not tried again', async () => {
  lab.emulator.setMaxApplicationKeysPerUser(0);
  lab.emulator.forgetCalls();
  await expect(lab.leases.issue({ ...APPLICATION, ttl: '10m' })).rejects.toMatchObject({
    code: 'QuotaExceeded',
    message: expect.stringContaining('Delete keys that nobody uses'),
  });
  expect(calls(/^Create/)).toHaveLength(1);
});

test('a limited rate is waited out as Datadog says, and nothing is lost', async () => {
  lab.emulator.setRateLimit({ limit: 0, periodSeconds: 2 });
  lab.emulator.forgetCalls();
  const issue = lab.leases.issue({ ...PAIR, ttl: '10m' });
  const begun = Date.now();
  while (calls(/./).length === 0 && Date.now() - begun < 10_000)
    await new Promise((resolve) => setTimeout(resolve, 20));
  // The reset that the answer told is at least a second away: until then nobody asks again.
  await new Promise((resolve) => setTimeout(resolve, 800));
  expect(calls(/./).map(({ status }) => status)).toEqual([429]);
  lab.emulator.setRateLimit(undefined);
  const lease = await issue;
  expect(keysOf(lease.leaseId)).toHaveLength(2);
  await lease.revoke({ wait: true });
  expect(keysOf(lease.leaseId)).toEqual([]);
});

test('what a lost answer leaves is one pair, and what a hand deletes is no trouble', async () => {
  lab.emulator.fault({ operation: 'CreateServiceAccountApplicationKey', kind: 'reset', isDoneFirst: true });
  lab.emulator.fault({ operation: 'CreateAPIKey', kind: 'reset', isDoneFirst: true });
  const lease = await lab.leases.issue({ ...PAIR, ttl: '10m' });
  expect(keysOf(lease.leaseId)).toHaveLength(2);
  await askDatadog('DELETE', `api_keys/${lease.facts['api_key_id']!}`);
  expect(keysOf(lease.leaseId)).toHaveLength(1);
  expect(await lease.revoke({ wait: true })).toMatchObject({ state: 'revoked' });
  expect(keysOf(lease.leaseId)).toEqual([]);
});

test('a lease whose key somebody renamed is stuck and says so, and ends once the key has its name again', async () => {
  const lease = await lab.leases.issue({ ...API, ttl: '10m' });
  const { api_key_id: id, key_name: name } = lease.facts;
  await renameApiKey(id!, 'tidied up');
  await lease.revoke();
  await lab.until(lease.leaseId, 'stuck');
  await lab.untilFailing(lease.leaseId, `${id!} that this lease made lives on under another name, "tidied up"`);
  expect(lab.emulator.idOf(lease.credential['API_KEY']!)).toBe(id);
  expect(lab.emulator.apiKeys()).toContainEqual(expect.objectContaining({ id, name: 'tidied up' }));
  await renameApiKey(id!, name!);
  expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'revoked' });
  expect(lab.emulator.apiKeys().filter((key) => key.id === id)).toEqual([]);
  const told = new Map([
    ['history', historyText(await lab.handle(lease.leaseId).fetchHistory())],
    ['logs', lab.logs()],
  ]);
  // Datadog tells it to whoever asks for the key by its id.
  expect(findLeaks(new Map([['the API key', lease.credential['API_KEY']!]]), told)).toEqual([]);
});

test('a key that is listed, of a service account that Datadog does not know, is what a sweep reports, and removes in the end', async () => {
  const lease = await lab.leases.issue({ ...APPLICATION, ttl: '10m' });
  await lab.handle(lease.leaseId).terminate('by mistake');
  const sweep = () =>
    lab.client.workflow.execute(SWEEP_WORKFLOW, {
      taskQueue: WORKFLOW_QUEUE,
      workflowId: `sweep/test-${randomUUID()}`,
      args: [{ integration: 'datadog', dryRun: false, deployment: null }],
    }) as Promise<SweepReport>;
  lab.emulator.fault({ operation: 'ListServiceAccountApplicationKeys', kind: 'status', status: 404, times: 100 });
  const entity = lease.facts['key_name'];
  expect((await sweep()).failures).toEqual([{ entity, failure: expect.stringContaining('and yet lists its key') }]);
  expect(keysOf(lease.leaseId)).toEqual([entity]);
  lab.emulator.clearFaults();
  expect(await sweep()).toMatchObject({ removals: [{ entity, reason: 'closed' }], failures: [] });
  expect(keysOf(lease.leaseId)).toEqual([]);
});

test('no key is found in a history or a log', async () => {
  const lease = await lab.leases.issue({ ...PAIR, ttl: '10m' });
  lab.emulator.fault({ operation: 'DeleteAPIKey', kind: 'status', status: 403 });
  await lease.revoke({ wait: true });
  const values = new Map([
    ['leased API key', lease.credential['API_KEY']!],
    ['leased application key', lease.credential['APP_KEY']!],
    ["the orchestrator's API key", lab.emulator.apiKey],
    ["the orchestrator's application key", lab.emulator.applicationKey],
  ]);
  const history = historyText(await lab.handle(lease.leaseId).fetchHistory());
  const places = new Map([
    ['history', history],
    ['logs', lab.logs()],
  ]);
  expect(history).toContain(lease.leaseId);
  expect(findLeaks(values, places)).toEqual([]);
});
