import type { SearchAttributePair } from '@temporalio/common';
import { randomLeaseId } from '../../client/lease-id';
import { createLeaseService } from '../../client/service';
import type { LeaseService } from '../../client/service';
import type { Lease, LeaseError } from '../../client/leases';
import type { BlockBody } from '../../client/wire';
import { liftBlock, placeBlock, resumeBlocks } from '../../temporal/blocks';
import { grpcStatusOf } from '../../temporal/service';
import { generateRecipient, thumbprint } from '../../sealing/recipient';
import {
  ATTRIBUTES,
  BLOCKS_MEMO,
  BLOCKS_WORKFLOW,
  LEASE_WORKFLOW,
  MAX_BLOCKS,
  WORKFLOW_QUEUE,
} from '../../workflows/contract';
import type { Block } from '../../workflows/contract';
import { ask } from '../support/api-client';
import type { Answer, Body } from '../support/api-client';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { inFull } from '../support/full';
import { eventually, pause } from '../support/lab';

const OTHER_SECRET = { integration: 'memory', min_ttl: '1s', max_ttl: '12h' };

/** Temporal's BATCH_OPERATION_STATE_RUNNING. */
const BATCH_RUNNING = 1;

let lab: ApiLab;
let service: LeaseService;

beforeAll(async () => {
  lab = await openApiLab({
    dynamicSecrets: { OTHER: OTHER_SECRET, ELSEWHERE: { ...OTHER_SECRET, integration: 'second' } },
    integrations: {
      second: {
        type: 'memory',
        connection: { prefix: 'second' },
        limits: { calls_per_second: 1_000 },
        timings: { consistency_window: '0s' },
      },
    },
    projects: {
      frontend: {
        configs: {
          prd: { dynamic_secrets: { TOKEN: OTHER_SECRET } },
          dev: { dynamic_secrets: { TOKEN: OTHER_SECRET } },
        },
      },
      shop: { configs: { prd: { dynamic_secrets: { TOKEN: OTHER_SECRET } } } },
    },
    tokens: {
      front: { scopes: ['frontend/*'], rights: ['admin', 'lease'] },
      dev: { scopes: ['frontend/dev'], rights: ['admin'] },
    },
  });
  const { client, namespace, deployment } = lab;
  service = createLeaseService({ client, namespace, deployment });
}, 60_000);

afterEach(async () => {
  lab.provider.before = () => undefined;
  lab.provider.heal();
  lab.breakAudit(false);
  await liftAll();
  await Promise.all([...lab.provider.entities.values()].map(({ leaseId }) => service.revoke(leaseId!, { wait: true })));
}, 60_000);

afterAll(() => lab.close());

function issue(what: Partial<Record<'project' | 'config' | 'dynamicSecret' | 'holder', string>> = {}): Promise<Lease> {
  return service.issue({
    project: 'backend',
    config: 'prd',
    dynamicSecret: 'TOKEN',
    holder: 'token:ci',
    ttl: '1h',
    ...what,
  });
}

/** Leases of this that the provider still has something of, of those given. */
function held(...leases: readonly Lease[]): string[] {
  return leases.map(({ leaseId }) => leaseId).filter((leaseId) => lab.provider.of(leaseId).length > 0);
}

function ids(...leases: readonly Lease[]): string[] {
  return leases.map(({ leaseId }) => leaseId);
}

async function request(filter: Record<string, string>, token = 'admin'): Promise<Answer> {
  return ask(lab, token, 'POST', '/v1/revocations', { ...filter, reason: 'laptop lost' });
}

/** Asks for it and waits until it is done. */
async function revokeAll(filter: Record<string, string>, token = 'admin'): Promise<Body> {
  const { status, body } = await request(filter, token);
  expect({ status, ...body }).toMatchObject({ status: 202, state: 'running', filter, reason: 'laptop lost' });
  return untilDone(body.id, token);
}

async function untilDone(id: string, token = 'admin'): Promise<Body> {
  let report: Body | undefined;
  await eventually(
    async () => {
      report = (await ask(lab, token, 'GET', `/v1/revocations/${id}`)).body;
      return report.state !== 'running';
    },
    'the bulk revoke to be done',
    60_000,
  );
  return report!;
}

async function blocks(token = 'admin'): Promise<readonly BlockBody[]> {
  return (await ask(lab, token, 'GET', '/v1/blocks')).body.blocks;
}

/** Of which there are many. */
function blockOf(n: number): Block {
  const at = new Date().toISOString();
  return { id: `block-${n}`, filter: { holder: `token:${n}` }, by: 'token:admin', reason: 'é'.repeat(200), at };
}

async function liftAll(): Promise<void> {
  for (const { id } of await blocks()) await ask(lab, 'admin', 'DELETE', `/v1/blocks/${id}`);
}

/** Ends the run that holds the blocks, and starts one that holds these, as one that hands over does. */
async function startHolding(held: readonly Block[]): Promise<void> {
  await lab.client.workflow.start(BLOCKS_WORKFLOW, {
    workflowId: BLOCKS_WORKFLOW,
    taskQueue: WORKFLOW_QUEUE,
    args: [{ blocks: held }],
    memo: { [BLOCKS_MEMO]: held },
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
  });
}

/** A filter of each kind, and what is issued that it means. None means what another does. */
const KINDS: [Record<string, string>, Partial<Parameters<typeof issue>[0]>][] = [
  [{ holder: 'token:lost' }, { holder: 'token:lost' }],
  [{ project: 'shop' }, { project: 'shop' }],
  [
    { project: 'frontend', config: 'dev' },
    { project: 'frontend', config: 'dev' },
  ],
  [{ dynamic_secret: 'OTHER' }, { dynamicSecret: 'OTHER' }],
  [{ integration: 'second' }, { dynamicSecret: 'ELSEWHERE' }],
];

test('all leases of a holder, a project, a config, a dynamic secret or an integration are revoked, no others, and it gets no new one until an admin lifts the block', async () => {
  // At the same time, because each takes its time.
  await Promise.all(KINDS.map(([filter, what]) => revokesAllOf(filter, what)));

  async function revokesAllOf(
    filter: Record<string, string>,
    what: Partial<Parameters<typeof issue>[0]>,
  ): Promise<void> {
    const meant = await Promise.all(Array.from({ length: 3 }, () => issue(what)));
    const others = await Promise.all([
      issue(),
      issue({ holder: 'token:other' }),
      ...(filter['project'] === 'frontend' && filter['config'] !== undefined ? [issue({ project: 'frontend' })] : []),
    ]);
    const report = await revokeAll(filter);
    expect(report).toMatchObject({
      state: 'done',
      matched: 3,
      signalled: 3,
      left: 0,
      still_removing: 0,
      by: 'token:admin',
    });
    expect(report.rounds).toBeGreaterThanOrEqual(3);
    expect(held(...meant)).toEqual([]);
    expect(held(...others)).toEqual(ids(...others));
    for (const { leaseId } of meant) {
      expect(await service.get(leaseId)).toMatchObject({
        state: 'revoked',
        endedBy: 'token:admin',
        reason: 'laptop lost',
      });
    }
    const mine = (await blocks()).filter((block) => JSON.stringify(block.filter) === JSON.stringify(filter));
    expect(mine).toMatchObject([{ id: report.block_id, by: 'token:admin', reason: 'laptop lost' }]);
    await expect(issue(what)).rejects.toMatchObject({
      code: 'Blocked',
      message: expect.stringContaining(report.block_id!),
    });
    await expect(issue(what)).rejects.not.toThrow('laptop');
    await issue();
    const lifted = await ask(lab, 'admin', 'DELETE', `/v1/blocks/${report.block_id!}`);
    expect(lifted).toMatchObject({ status: 200, body: { id: report.block_id, filter } });
    expect(held(await issue(what))).toHaveLength(1);
  }
}, 60_000);

test('leases are told by one batch operation of the server where no other one runs', async () => {
  const meant = await Promise.all(Array.from({ length: 3 }, () => issue({ holder: 'token:alone' })));
  const report = await revokeAll({ holder: 'token:alone' });
  expect(report).toMatchObject({ state: 'done', matched: 3, signalled: 3 });
  // The first listings may be ahead of the index.
  const told = await Promise.all(
    Array.from({ length: report.rounds }, async (_, index) => {
      const jobId = `bulk-revoke/${report.id}/${index + 1}/0`;
      try {
        const batch = await lab.client.workflowService.describeBatchOperation({ namespace: lab.namespace, jobId });
        return Number(batch.completeOperationCount);
      } catch (error) {
        if (grpcStatusOf(error) === 'notFound') return 0;
        throw error;
      }
    }),
  );
  expect(told.reduce((sum, count) => sum + count)).toBe(3);
  expect(held(...meant)).toEqual([]);
}, 60_000);

async function startByHand(...typedSearchAttributes: SearchAttributePair[]): Promise<string> {
  const { publicJwk: recipient } = await generateRecipient();
  const what = { project: 'backend', config: 'prd', dynamicSecret: 'TOKEN' };
  const input = { ...what, holder: 'token:lost', ttlMs: null, recipient, thumbprint: await thumbprint(recipient) };
  const leaseId = randomLeaseId();
  await lab.client.workflow.start(LEASE_WORKFLOW, {
    workflowId: leaseId,
    taskQueue: WORKFLOW_QUEUE,
    args: [input],
    typedSearchAttributes,
  });
  return leaseId;
}

test('a lease that somebody started by hand, as one of somebody else, is found by what it is', async () => {
  const leaseId = await startByHand({ key: ATTRIBUTES.holder, value: 'token:other' });
  await eventually(() => Promise.resolve(lab.provider.of(leaseId).length === 1), 'its credential to be made');

  expect(await revokeAll({ holder: 'token:lost' })).toMatchObject({ state: 'done' });
  expect(lab.provider.of(leaseId)).toEqual([]);
});

test('a lease that somebody started by hand, without a state, is found while its credential is being made', async () => {
  const made = new Promise<void>((resolve) => {
    lab.provider.before = (verb) => {
      if (verb === 'provision') resolve();
      return verb === 'provision' ? pause(1_500) : undefined;
    };
  });
  const leaseId = await startByHand(
    { key: ATTRIBUTES.project, value: 'backend' },
    { key: ATTRIBUTES.config, value: 'prd' },
    { key: ATTRIBUTES.dynamicSecret, value: 'TOKEN' },
    { key: ATTRIBUTES.holder, value: 'token:lost' },
  );
  await made;
  await eventually(async () => {
    const { leases } = await service.page({ holder: 'token:lost', state: 'provisioning' }, null);
    return leases.length === 1;
  }, 'the index');
  lab.provider.before = () => undefined;
  expect(await revokeAll({ holder: 'token:lost' })).toMatchObject({ state: 'done', matched: 1 });
  expect(lab.provider.of(leaseId)).toEqual([]);
});

test('of an entity name alone its lease is revoked, and nothing is blocked', async () => {
  const [lease, other] = [await issue(), await issue()];
  const [entity] = lab.provider.of(lease.leaseId);
  await eventually(async () => (await service.page({ entity: entity! }, null)).leases.length === 1, 'the index');
  const report = await revokeAll({ entity: entity! });
  expect(report).toMatchObject({ state: 'done', matched: 1, block_id: null });
  expect(held(lease, other)).toEqual([other.leaseId]);
  expect(await blocks()).toEqual([]);
}, 60_000);

test('leases that are issued while it runs end revoked, and later ones are refused', async () => {
  const issued: Lease[] = [];
  const refused: string[] = [];
  let goesOn = true;
  const keepIssuing = async (): Promise<void> => {
    while (goesOn) {
      await issue({ holder: 'token:busy' }).then(
        (lease) => issued.push(lease),
        async (error: unknown) => {
          refused.push((error as LeaseError).code);
          await pause(100);
        },
      );
    }
  };
  const callers = [keepIssuing(), keepIssuing(), keepIssuing()];
  await eventually(async () => issued.length > 5, 'some leases');
  const other = await issue();
  const report = await revokeAll({ holder: 'token:busy' });
  goesOn = false;
  await Promise.all(callers);
  expect(report).toMatchObject({ state: 'done', left: 0 });
  expect(issued.length).toBeGreaterThan(5);
  expect(held(...issued, other)).toEqual([other.leaseId]);
  // A lease that was being made when it was revoked never reached its caller.
  expect(refused.filter((code) => code !== 'Blocked' && code !== 'LeaseEnded')).toEqual([]);
  expect(refused.at(-1)).toBe('Blocked');
}, 60_000);

const HOSTILE = [`x" OR LeaseHolder != "`, `it's`, String.raw`back\slash`, '50%', 'under_score'];

test('a holder is told apart from everybody whose name is like it, whatever it is made of', async () => {
  // At the same time, because each takes its time.
  await Promise.all(
    HOSTILE.map(async (subject) => {
      const names = [subject, `${subject}x`, subject.slice(0, -1), subject.replace(/["'\\%_]/g, 'x')];
      const leases = await Promise.all(names.map((name) => issue({ holder: `token:${name}` })));
      const report = await revokeAll({ holder: `token:${subject}` });
      expect(report).toMatchObject({ state: 'done', matched: 1 });
      expect(held(...leases)).toEqual(ids(...leases.slice(1)));
      await expect(issue({ holder: `token:${subject}` })).rejects.toMatchObject({ code: 'Blocked' });
      await issue({ holder: `token:${subject}x` });
    }),
  );
}, 90_000);

test('removals that take long do not hold it up, and are told', async () => {
  const lease = await issue({ holder: 'token:slow' });
  lab.provider.fail('Unavailable', 'deprovision');
  const report = await revokeAll({ holder: 'token:slow' });
  expect(report).toMatchObject({ state: 'done', matched: 1, still_removing: 1 });
  lab.provider.heal();
  await service.revoke(lease.leaseId, { wait: true });
}, 60_000);

test('another batch operation of the namespace does not hold it up', async () => {
  const leases = await Promise.all(Array.from({ length: 5 }, () => issue({ holder: 'token:busy' })));
  const operators = { namespace: lab.namespace, jobId: 'of-an-operator' };
  // The server works on fifty in a second.
  await lab.client.workflowService.startBatchOperation({
    ...operators,
    reason: 'slow',
    executions: Array.from({ length: 1_000 }, (_, n) => ({ workflowId: `nobody-${n}`, runId: '' })),
    signalOperation: { signal: 'nudge', identity: 'operator' },
  });
  const { body } = await request({ holder: 'token:busy' });
  await eventually(async () => held(...leases).length === 0, 'the removals');
  const { state } = await lab.client.workflowService.describeBatchOperation(operators);
  expect(state).toBe(BATCH_RUNNING);
  await lab.client.workflowService.stopBatchOperation({ ...operators, reason: 'over', identity: 'operator' });
  expect(await untilDone(body.id)).toMatchObject({ state: 'done', matched: 5, signalled: 5 });
}, 60_000);

test('two bulk revokes of the same share one block', async () => {
  const [one, two] = await Promise.all([revokeAll({ holder: 'token:twice' }), revokeAll({ holder: 'token:twice' })]);
  expect(one.id).not.toBe(two.id);
  expect(one.block_id).toBe(two.block_id);
  expect(await blocks()).toHaveLength(1);
}, 60_000);

test('a block whose workflow is terminated still blocks, and is taken over by the next', async () => {
  const { block_id: first } = await revokeAll({ holder: 'token:first' });
  await lab.handle(BLOCKS_WORKFLOW).terminate('by hand');
  await expect(issue({ holder: 'token:first' })).rejects.toMatchObject({ code: 'Blocked' });
  expect(await blocks()).toMatchObject([{ id: first }]);
  const { block_id: second } = await revokeAll({ holder: 'token:second' });
  expect(await blocks()).toMatchObject([{ id: first }, { id: second }]);
  await lab.handle(BLOCKS_WORKFLOW).cancel();
  await lab.handle(BLOCKS_WORKFLOW).terminate('by hand');
  expect(await ask(lab, 'admin', 'DELETE', `/v1/blocks/${first!}`)).toMatchObject({ status: 200 });
  expect(await blocks()).toMatchObject([{ id: second }]);
  await lab.handle(BLOCKS_WORKFLOW).terminate('by hand');
  await resumeBlocks(lab.client);
  expect((await lab.handle(BLOCKS_WORKFLOW).describe()).status.name).toBe('RUNNING');
  await issue({ holder: 'token:first' });
  await expect(issue({ holder: 'token:second' })).rejects.toMatchObject({ code: 'Blocked' });
}, 90_000);

test.each([
  ['lift', []],
  ['lift', [null]],
  ['lift', [{}]],
  ['block', []],
  ['block', [{ id: 'alone' }]],
])('a %s by hand with %j is refused with what it needs, and blocks go on', async (update, args) => {
  await placeBlock(lab.client, blockOf(1));
  const sent = lab.handle(BLOCKS_WORKFLOW).executeUpdate<unknown, [unknown]>(update, { args: args as [unknown] });
  await expect(sent).rejects.toMatchObject({ cause: { message: expect.stringContaining(`${update} needs`) } });
  expect(await liftBlock(lab.client, 'block-1')).toBe(true);
});

test('hundreds of blocks come and go, and one that stays is never forgotten', async () => {
  const { block_id: standing } = await revokeAll({ holder: 'token:standing' });
  const { runId } = await lab.handle(BLOCKS_WORKFLOW).describe();
  for (let n = 0; n < 120; n += 1) {
    await placeBlock(lab.client, blockOf(n));
    expect(await liftBlock(lab.client, `block-${n}`)).toBe(true);
    expect(await liftBlock(lab.client, `block-${n}`)).toBe(false);
  }
  expect((await lab.handle(BLOCKS_WORKFLOW).describe()).runId).not.toBe(runId);
  expect(await blocks()).toMatchObject([{ id: standing }]);
  await expect(issue({ holder: 'token:standing' })).rejects.toMatchObject({ code: 'Blocked' });
}, 60_000);

test('where there is no room for another block, what there is ends all the same, and it says so', async () => {
  // Each placing writes all blocks anew, so that the short run has most of them from a run before.
  const earlier = inFull(0, MAX_BLOCKS - 10);
  await startHolding(Array.from({ length: earlier }, (_, n) => blockOf(n)));
  for (let n = earlier; n < MAX_BLOCKS; n += 1) await placeBlock(lab.client, blockOf(n));
  expect(await blocks()).toHaveLength(MAX_BLOCKS);
  const lease = await issue({ holder: 'token:late' });
  const report = await revokeAll({ holder: 'token:late' });
  expect(report).toMatchObject({
    state: 'done',
    matched: 1,
    block_id: null,
    remark: expect.stringContaining('200 blocks'),
  });
  expect(held(lease)).toEqual([]);
  await startHolding([]);
}, 60_000);
