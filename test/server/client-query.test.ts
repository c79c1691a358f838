import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { connectLeases } from '../../client/temporal';
import type { ConnectedLeases, LeaseFilter, LeaseState } from '../../client/temporal';
import { ATTRIBUTES, LEASE_WORKFLOW } from '../../workflows/contract';
import { createNamespace } from '../support/namespace';
import { provided } from '../support/stack';

const HOLDERS = [
  'library:plain',
  'library:Дед Мороз 🎅',
  'library:"',
  "library:'",
  'library:\\',
  'library:\\"',
  "library:\\'",
  'library:a\\',
  'library:" OR LeaseState = "active',
  "library:' OR 'a' = 'a",
  'library:\\" OR LeaseState = "active',
  'library:%',
  'library:_',
  'library:50%"',
  "library:a_b'",
  'library:!"',
  'library:`x`',
  'library:a  b',
  'library:a',
  'library:;--',
  'library:?',
  'library:$1',
  'library:\\n',
  '"',
  '" OR 1 = 1',
];

let connection: Connection;
let client: Client;
let leases: ConnectedLeases;
const ids = new Map<string, string>();

beforeAll(async () => {
  connection = await Connection.connect({ address: provided().temporal.address });
  const namespace = await createNamespace(connection);
  client = new Client({ connection, namespace });
  leases = await connectLeases({ connection, namespace });
  for (const holder of HOLDERS) ids.set(holder, await begin({ holder, state: 'active', project: 'backend' }));
  await indexed(HOLDERS.length);
}, 30_000);

afterAll(async () => {
  for await (const { workflowId } of client.workflow.list({ query: 'CloseTime IS NULL' })) {
    await client.workflow.getHandle(workflowId).terminate();
  }
  await leases.close();
  await connection.close();
});

/** A lease as the index sees it; nobody works on it. */
async function begin(as: { holder: string; state: LeaseState; project: string }): Promise<string> {
  const workflowId = randomUUID();
  await client.workflow.start(LEASE_WORKFLOW, {
    workflowId,
    taskQueue: 'nobody',
    typedSearchAttributes: [
      { key: ATTRIBUTES.holder, value: as.holder },
      { key: ATTRIBUTES.state, value: as.state },
      { key: ATTRIBUTES.project, value: as.project },
    ],
  });
  return workflowId;
}

async function indexed(count: number): Promise<void> {
  while ((await client.workflow.count()).count < count) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function find(filter: LeaseFilter): Promise<string[]> {
  const found: string[] = [];
  for await (const { leaseId } of leases.list(filter)) found.push(leaseId);
  return found;
}

test.each(HOLDERS)('holder %j finds its own lease and no other', async (holder) => {
  expect(await find({ holder })).toEqual([ids.get(holder)]);
});

test.each([
  ' OR LeaseState = "active"',
  '" OR LeaseState = "active',
  "' OR 'a' = 'a",
  '\\',
  '"',
  '%',
  'library:%'.slice(0, 8),
])('text %j widens no filter', async (text) => {
  for (const name of ['project', 'config', 'dynamicSecret', 'integration', 'holder'] as const) {
    const expected = ids.get(text) !== undefined && name === 'holder' ? [ids.get(text)] : [];
    expect(await find({ [name]: text })).toEqual(expected);
  }
});

test('filters by state and by what still lives tell terminated leases from active ones', async () => {
  const project = 'stopped';
  const alive = await begin({ holder: 'library:x', state: 'active', project });
  const stopped = await begin({ holder: 'library:x', state: 'active', project });
  await client.workflow.getHandle(stopped).terminate();
  while ((await find({ project, live: true })).length !== 1 || (await find({ project })).length !== 2) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await find({ project, state: 'active' })).toEqual([alive]);
  expect(await find({ project, live: true })).toEqual([alive]);
  expect(await find({ project, live: false })).toEqual([stopped]);
  expect(await find({ project, state: 'terminated' })).toEqual([stopped]);
  expect(await find({ project, state: 'expired' })).toEqual([]);
});

test('a list longer than a page is whole, and can be iterated again', async () => {
  const list = leases.list({ project: 'backend', pageSize: 7 });
  for (let round = 0; round < 2; round += 1) {
    const found = new Set<string>();
    for await (const { leaseId } of list) found.add(leaseId);
    expect(found).toEqual(new Set(ids.values()));
  }
});
