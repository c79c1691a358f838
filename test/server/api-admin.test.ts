import { BLOCKS_WORKFLOW } from '../../workflows/contract';
import { createLeaseService } from '../../client/service';
import type { LeaseService } from '../../client/service';
import { ask } from '../support/api-client';
import type { Answer } from '../support/api-client';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { eventually } from '../support/lab';

const SECRET = { integration: 'memory', min_ttl: '1s', max_ttl: '12h' };
const REASON = 'laptop lost';

let lab: ApiLab;
let service: LeaseService;

beforeAll(async () => {
  lab = await openApiLab({
    projects: { frontend: { configs: { prd: { dynamic_secrets: { TOKEN: { ...SECRET, integration: 'front' } } } } } },
    integrations: { front: { type: 'memory', retired: true }, unused: { type: 'memory', paused: true } },
    tokens: {
      back: { scopes: ['backend/*'], rights: ['admin'] },
      prd: { scopes: ['backend/prd'], rights: ['admin'] },
      front: { scopes: ['frontend/*'], rights: ['admin'] },
    },
  });
  const { client, namespace, deployment } = lab;
  service = createLeaseService({ client, namespace, deployment });
}, 60_000);

afterEach(() => {
  lab.breakAudit(false);
});

afterAll(() => lab.close());

function revocation(token: string, filter: unknown): Promise<Answer> {
  return ask(lab, token, 'POST', '/v1/revocations', filter);
}

function lines(event: string): unknown[] {
  return lab.audit.filter((line) => line.event === event);
}

async function untilDone(id: string): Promise<void> {
  await eventually(
    async () => (await ask(lab, 'admin', 'GET', `/v1/revocations/${id}`)).body.state === 'done',
    'the bulk revoke to be done',
  );
}

test.each([
  ['POST', '/v1/revocations', { holder: 'token:ci', reason: REASON }],
  ['GET', '/v1/revocations', undefined],
  ['GET', '/v1/revocations/any', undefined],
  ['GET', '/v1/blocks', undefined],
  ['DELETE', '/v1/blocks/any', undefined],
  ['GET', '/v1/integrations', undefined],
  ['POST', '/v1/integrations/memory/check', undefined],
])('%s %s is for admins alone', async (method, path, body) => {
  const answer = await ask(lab, 'ci', method, path, body);
  expect(answer).toMatchObject({ status: 403, body: { success: false, code: 'forbidden' } });
  expect(await ask(lab, 'nobody', method, path, body)).toMatchObject({ status: 401 });
});

test.each([
  [{ reason: REASON }, 'filter'],
  [{ holder: 'token:ci' }, 'reason'],
  [{ holder: 'token:ci', reason: '' }, 'reason'],
  [{ holder: 'token:ci', reason: ' ' }, 'reason'],
  [{ holder: '', reason: REASON }, 'holder'],
  [{ holder: 'a\nb', reason: REASON }, 'holder'],
  [{ holder: 1, reason: REASON }, 'holder'],
  [{ holdr: 'token:ci', reason: REASON }, undefined],
])('a revocation of %j is refused, and nothing is begun', async (body, field) => {
  const before = lines('bulk_revoke_requested').length;
  const answer = await revocation('admin', body);
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
  expect(answer.body.field).toBe(field);
  expect(lines('bulk_revoke_requested')).toHaveLength(before);
});

test.each([
  ['back', { project: 'frontend' }, 404],
  ['back', { project: 'nowhere' }, 404],
  ['prd', { project: 'backend', config: 'dev' }, 404],
  ['prd', { project: 'backend' }, 403],
  ['back', { holder: 'token:ci' }, 403],
  ['back', { integration: 'memory' }, 403],
  ['back', { dynamic_secret: 'TOKEN' }, 403],
  ['back', { config: 'prd' }, 403],
  ['back', { entity: 'lab-nobody' }, 404],
  ['front', { entity: 'lab-nobody', project: 'backend' }, 404],
])('an admin of a part (%s) may not revoke %j: %d', async (token, filter, status) => {
  const before = lines('bulk_revoke_requested').length;
  expect(await revocation(token, { ...filter, reason: REASON })).toMatchObject({ status });
  expect(lines('bulk_revoke_requested')).toHaveLength(before);
});

test('an admin of a part revokes, sees and lifts within it, and what lies outside is not there for it', async () => {
  const lease = await service.issue({
    project: 'backend',
    config: 'prd',
    dynamicSecret: 'TOKEN',
    holder: 'token:lost',
    ttl: '1h',
  });
  const filter = { project: 'backend', holder: 'token:lost' };
  const { status, body } = await revocation('back', { ...filter, reason: REASON });
  expect(status).toBe(202);
  expect(lines('bulk_revoke_requested').at(-1)).toMatchObject({
    by: 'token:back',
    holder: 'token:lost',
    project: 'backend',
    config: null,
    reason: REASON,
    details: { tokenId: 'token/back', revocation: body.id },
  });
  await untilDone(body.id);
  expect(lab.provider.of(lease.leaseId)).toEqual([]);
  const path = `/v1/revocations/${body.id}`;
  expect(await ask(lab, 'back', 'GET', path)).toMatchObject({ status: 200, body: { state: 'done', filter } });
  expect(await ask(lab, 'front', 'GET', path)).toMatchObject({ status: 404 });
  await eventually(async () => (await ask(lab, 'back', 'GET', '/v1/revocations')).body.revocations.length === 1, 'it');
  expect((await ask(lab, 'front', 'GET', '/v1/revocations')).body).toEqual({ revocations: [] });
  const block = `/v1/blocks/${body.id}`;
  expect((await ask(lab, 'front', 'GET', '/v1/blocks')).body).toEqual({ blocks: [] });
  expect(await ask(lab, 'front', 'DELETE', block)).toMatchObject({ status: 404 });
  expect((await ask(lab, 'back', 'GET', '/v1/blocks')).body).toMatchObject({ blocks: [{ filter, reason: REASON }] });
  expect(await ask(lab, 'back', 'DELETE', block)).toMatchObject({ status: 200, body: { filter } });
  expect(lines('block_lifted')).toMatchObject([
    { by: 'token:back', holder: 'token:lost', details: { block: body.id } },
  ]);
  expect(await ask(lab, 'back', 'DELETE', block)).toMatchObject({ status: 404 });
}, 60_000);

test("an admin of a part revokes an entity of its own, and not another's", async () => {
  const { leaseId } = await service.issue({
    project: 'backend',
    config: 'prd',
    dynamicSecret: 'TOKEN',
    holder: 'token:ci',
    ttl: '1h',
  });
  const [entity] = lab.provider.of(leaseId);
  await eventually(async () => (await service.page({ entity: entity! }, null)).leases.length === 1, 'the index');
  expect(await revocation('front', { entity, reason: REASON })).toMatchObject({ status: 404 });
  expect(lab.provider.of(leaseId)).toHaveLength(1);
  const { status, body } = await revocation('prd', { entity, reason: REASON });
  expect({ status, ...body }).toMatchObject({ status: 202, filter: { entity, project: 'backend', config: 'prd' } });
  await untilDone(body.id);
  expect(lab.provider.of(leaseId)).toEqual([]);
}, 60_000);

test('where the audit log cannot be written leases are revoked all the same, and no block is lifted', async () => {
  lab.breakAudit(true);
  const { status, body } = await revocation('admin', { holder: 'token:standing', reason: REASON });
  expect(status).toBe(202);
  await untilDone(body.id);
  expect(lab.apiLogs()).toMatch(/file system is full.*A revoke is not in the audit log/);
  expect(await ask(lab, 'admin', 'DELETE', `/v1/blocks/${body.id}`)).toMatchObject({ status: 502 });
  lab.breakAudit(false);
  expect((await ask(lab, 'admin', 'GET', '/v1/blocks')).body.blocks).toMatchObject([{ id: body.id }]);
  expect(await ask(lab, 'admin', 'DELETE', `/v1/blocks/${body.id}`)).toMatchObject({ status: 200 });
}, 60_000);

test('while no worker runs blocks are told, and one that cannot be lifted is said to be so', async () => {
  await lab.client.workflow.start(BLOCKS_WORKFLOW, {
    workflowId: BLOCKS_WORKFLOW,
    taskQueue: 'nobody',
    args: [{ blocks: [] }],
    memo: { blocks: [{ id: 'x', filter: { project: 'backend' }, by: 'token:admin', reason: REASON, at: NOW }] },
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
  });
  expect((await ask(lab, 'back', 'GET', '/v1/blocks')).body.blocks).toMatchObject([{ id: 'x' }]);
  const answer = await ask(lab, 'back', 'DELETE', '/v1/blocks/x');
  expect(answer).toMatchObject({ status: 502, body: { code: 'timeout' } });
  expect(answer.body.messages[0]).toMatch(/No worker answered in time/);
  await lab.handle(BLOCKS_WORKFLOW).terminate();
  expect(await ask(lab, 'back', 'DELETE', '/v1/blocks/x')).toMatchObject({ status: 200 });
}, 60_000);

const NOW = new Date().toISOString();

test('admins see the integrations within their scopes, and none of their settings', async () => {
  const { body } = await ask(lab, 'admin', 'GET', '/v1/integrations');
  expect(body.integrations.map(({ name }) => name)).toEqual(['memory', 'front', 'unused']);
  expect(body.integrations[1]).toEqual({
    name: 'front',
    type: 'memory',
    retired: true,
    paused: false,
    limits: { calls_per_second: 5, provisions: expect.any(Number), deprovisions: expect.any(Number), quota_reserve: 0 },
  });
  const names = async (token: string) =>
    (await ask(lab, token, 'GET', '/v1/integrations')).body.integrations.map(({ name }) => name);
  expect(await names('front')).toEqual(['front']);
  expect(await names('back')).toEqual(['memory']);
});

test('a check tells what the worker finds', async () => {
  lab.provider.quota = { what: 'entries', used: 3, limit: 3 };
  expect(await ask(lab, 'admin', 'POST', '/v1/integrations/memory/check')).toMatchObject({
    status: 200,
    body: {
      integration: 'memory',
      worker: 'memory-lab',
      ok: false,
      identity: 'memory',
      missing_rights: [],
      untried_rights: [],
      quota: { used: 3, limit: 3 },
      notes: [],
      failure: null,
    },
  });
  lab.provider.quota = null;
  const { body } = await ask(lab, 'admin', 'POST', '/v1/integrations/memory/check');
  expect(body).toMatchObject({ ok: true, quota: null });
});

test('a provider that refuses is a finding, told in our words', async () => {
  lab.provider.fail('Refused', 'check');
  const { status, body } = await ask(lab, 'admin', 'POST', '/v1/integrations/memory/check');
  lab.provider.heal();
  expect({ status, ...body }).toMatchObject({
    status: 200,
    ok: false,
    identity: null,
    failure: { code: 'refused', message: 'check was not permitted.' },
  });
});

test('an integration is checked by an admin of everything alone, and only if it is configured', async () => {
  expect(await ask(lab, 'back', 'POST', '/v1/integrations/memory/check')).toMatchObject({ status: 403 });
  expect(await ask(lab, 'admin', 'POST', '/v1/integrations/nowhere/check')).toMatchObject({ status: 404 });
  expect(await ask(lab, 'admin', 'POST', '/v1/integrations/constructor/check')).toMatchObject({ status: 404 });
});

test('an integration that no worker serves is said to be so, soon', async () => {
  lab.reconfigure({ integrations: { front: { type: 'memory' }, lonely: { type: 'memory' } } });
  const begun = Date.now();
  const answer = await ask(lab, 'admin', 'POST', '/v1/integrations/lonely/check');
  lab.reconfigure({});
  expect(answer).toMatchObject({ status: 502, body: { code: 'unavailable' } });
  expect(answer.body.messages[0]).toMatch(
    /No worker took up the check: is one running that serves the integration lonely/,
  );
  expect(Date.now() - begun).toBeLessThan(20_000);
}, 60_000);
