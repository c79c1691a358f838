import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseConfig } from '../../../config/load';
import { integrationTypes } from '../../../activities/integrations/registry';
import type { Attempt, Integration } from '../../../activities/integrations/integration';
import { createFakeFence } from '../../support/fake-fence';
import { startFakeKeyService } from '../../write-your-own/fake-key-service';
import type { FakeKeyService } from '../../write-your-own/fake-key-service';
import { keyService } from '../../write-your-own/key-service';

const DEPLOYMENT = 'testdepl';
const EXPIRY = new Date('2031-02-03T04:05:06.000Z');
const PARAMETERS = { scopes: ['reports:read'] };

let service: FakeKeyService;
let integration: Integration<{ scopes: string[] }>;
let throttled: number;

beforeEach(async () => {
  service = await startFakeKeyService();
  throttled = 0;
  const connection = keyService.connection.parse({ url: service.url, token: 'env:KEY_SERVICE_TOKEN' });
  integration = keyService.connect(connection, {
    resolveReference: (reference) => (reference === 'env:KEY_SERVICE_TOKEN' ? service.token : ''),
    throttle: async () => {
      throttled += 1;
    },
  });
});

afterEach(async () => {
  integration.close();
  await service.close();
});

function lease(leaseId = 'a'.repeat(24)) {
  const context = { leaseId, deployment: DEPLOYMENT, integration: 'keys', ttlMs: 60_000, issueTimeoutMs: 60_000 };
  const { entity, handle } = keyService.plan(
    context,
    keyService.connection.parse({ url: service.url, token: 'env:KEY_SERVICE_TOKEN' }),
    PARAMETERS,
  );
  const attempt = (fence = createFakeFence()): Attempt => {
    return { leaseId, deployment: DEPLOYMENT, fence, deadline: new Date(Date.now() + 20_000) };
  };
  return { entity, handle, attempt };
}

test('the page shows the example as it is, and the line that registers it', async () => {
  const page = await readFile(join(__dirname, '../../../docs/integrations/write-your-own.md'), 'utf8');
  const file = await readFile(join(__dirname, '../../write-your-own/key-service.ts'), 'utf8');
  const blocks = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!);
  expect(blocks).toContain(file.replaceAll("'../../activities/integrations/", "'./"));
  const registry = await readFile(join(__dirname, '../../../activities/integrations/registry.ts'), 'utf8');
  expect(registry).toContain('[awsIam.type]: awsIam,\n');
  expect(blocks.join('')).toContain('[keyService.type]: keyService,\n');
});

test('the configuration of the page loads once the type is registered', async () => {
  const page = await readFile(join(__dirname, '../../../docs/integrations/write-your-own.md'), 'utf8');
  const text = /```yaml\n(.*?)```/s.exec(page)![1]!;
  const config = parseConfig(text, { ...integrationTypes, [keyService.type]: keyService }, 'the page');
  expect(config.integrations['keys']).toMatchObject({ type: 'key_service' });
});

test('what was made can be found, is removed, and its absence is success', async () => {
  const { entity, handle, attempt } = lease();
  const made = await integration.provision(handle, PARAMETERS, EXPIRY, attempt());
  expect(Object.keys(made.credential)).toEqual(keyService.fields(PARAMETERS));
  expect(service.works(made.credential['KEY']!)).toBe(true);
  expect(JSON.stringify([made.facts, made.notes])).not.toContain(made.credential['KEY']);
  const { signal } = new AbortController();
  const mark = { deployment: DEPLOYMENT, leaseId: 'a'.repeat(24) };
  expect(await integration.readMarks(handle, signal)).toEqual({ ...mark, expiresAt: EXPIRY });
  const later = new Date(EXPIRY.getTime() + 60_000);
  await integration.extend(handle, later, attempt());
  expect(await integration.readMarks(handle, signal)).toEqual({ ...mark, expiresAt: later });
  expect((await integration.list(null, signal)).entities).toMatchObject([{ entity, mark, handle }]);
  expect(await integration.deprovision(handle, attempt(), made.facts)).toEqual({ result: 'removed' });
  expect(service.works(made.credential['KEY']!)).toBe(false);
  expect(service.keys.size).toBe(0);
  expect(await integration.deprovision(handle, attempt())).toEqual({ result: 'absent' });
  await expect(integration.extend(handle, later, attempt())).rejects.toMatchObject({ type: 'NotFound' });
  expect(await integration.readMarks(handle, signal)).toBeNull();
  expect(throttled).toBe(service.calls.length);
});

test('after a lost answer the next attempt hands over the only secret that works', async () => {
  const { handle, attempt } = lease();
  const fence = createFakeFence();
  // The look is answered, the call that makes the key is not.
  fence.pass = async () => {
    service.loseNextAnswer();
  };
  const failed = integration.provision(handle, PARAMETERS, EXPIRY, attempt(fence));
  await expect(failed).rejects.toMatchObject({ type: 'Unavailable' });
  expect(fence.withdrawn()).toBe(0);
  expect(service.keys.size).toBe(1);
  const made = await integration.provision(handle, PARAMETERS, EXPIRY, attempt());
  expect(service.works(made.credential['KEY']!)).toBe(true);
  expect(service.keys.size).toBe(1);
});

test('an attempt that has lost its lease changes nothing', async () => {
  const { handle, attempt } = lease();
  for (const close of ['refuseFrom', 'expireFrom'] as const) {
    const fence = createFakeFence();
    fence[close](1);
    await expect(integration.provision(handle, PARAMETERS, EXPIRY, attempt(fence))).rejects.toThrow();
    expect(fence.withdrawn()).toBe(close === 'expireFrom' ? 1 : 0);
  }
  expect(service.calls).toEqual(['GET', 'GET'].map((method) => `${method} /keys/${lease().entity}`));
});

test('a key of the same name that is not of this lease is not touched', async () => {
  const { entity, handle, attempt } = lease();
  const body = { name: entity, deployment: 'otherdep', lease: 'b'.repeat(24) };
  const headers = { authorization: `Bearer ${service.token}` };
  await fetch(`${service.url}/keys`, { method: 'POST', headers, body: JSON.stringify(body) });
  const refused = { type: 'Refused', message: expect.stringContaining('something else') };
  await expect(integration.provision(handle, PARAMETERS, EXPIRY, attempt())).rejects.toMatchObject(refused);
  await expect(integration.deprovision(handle, attempt())).rejects.toMatchObject(refused);
  await expect(integration.deprovision(handle, lease('b'.repeat(24)).attempt())).rejects.toMatchObject({
    type: 'Refused',
  });
  expect(service.keys.get(entity)).toMatchObject({ deployment: 'otherdep' });
});

test.each([
  [400, 'bad_scope', 'InvalidInput'],
  [401, 'who', 'Refused'],
  [403, 'forbidden', 'Refused'],
  [403, 'quota_exceeded', 'QuotaExceeded'],
  [409, 'name_taken', 'Unavailable'],
  [429, 'slow_down', 'Throttled'],
  [503, 'maintenance', 'Unavailable'],
])('%d %s is told as %s, without a word of the provider', async (status, code, type) => {
  const { handle, attempt } = lease();
  const fence = createFakeFence();
  fence.pass = async () => {
    service.answerNext(status, { code, message: `token ${service.token}` }, { 'retry-after': '7' });
  };
  const error = await integration
    .provision(handle, PARAMETERS, EXPIRY, attempt(fence))
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    type,
    facts: { operation: 'CreateKey', code, httpStatus: status, retryAfterMs: 7_000 },
  });
  expect(JSON.stringify([error, (error as Error).stack, (error as Error).cause])).not.toContain(service.token);
  // What surely was not done is not waited for.
  expect(fence.withdrawn()).toBe(type === 'Unavailable' ? 0 : 1);
});

test('lists every page, and says which rights are missing and what is left', async () => {
  for (const letter of ['a', 'b', 'c']) {
    const { handle, attempt } = lease(letter.repeat(24));
    await integration.provision(handle, PARAMETERS, EXPIRY, attempt());
  }
  const { signal } = new AbortController();
  const first = await integration.list(null, signal);
  const second = await integration.list(first.next, signal);
  expect([first.entities.length, second.entities.length, second.next]).toEqual([2, 1, null]);
  const quota = { what: 'keys of the key service', used: 3, limit: 3 };
  expect(await integration.quota(signal)).toEqual(quota);
  expect(await integration.check(signal)).toMatchObject({ missingRights: ['keys:delete'], quota });
  const { handle, attempt } = lease('d'.repeat(24));
  await expect(integration.provision(handle, PARAMETERS, EXPIRY, attempt())).rejects.toMatchObject({
    type: 'QuotaExceeded',
  });
});
