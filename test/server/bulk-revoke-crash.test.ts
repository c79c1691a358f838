import { BLOCKS_WORKFLOW, bulkRevokeId, CHECK_WORKFLOW } from '../../workflows/contract';
import { ask } from '../support/api-client';
import { openApiOverLab } from '../support/api-over-lab';
import type { ApiOverLab } from '../support/api-over-lab';
import { eventually, REQUEST, useLab } from '../support/lab';
import type { Lab } from '../support/lab';
import { replay } from '../support/replay';
import type { WorkerProcess } from '../support/worker-process';

let lab: Lab;
let worker: WorkerProcess;
let api: ApiOverLab;

useLab(async (opened) => {
  lab = opened;
  worker = await lab.startWorker();
  api = await openApiOverLab(lab);
});

afterAll(() => api.close());

/** What it did is what its code does. */
async function replayed(workflowId: string): Promise<void> {
  await replay(await lab.handle(workflowId).fetchHistory(), workflowId);
}

test('a bulk revoke goes on when the worker is killed midway and the API is begun anew', async () => {
  const leases = await Promise.all(Array.from({ length: 8 }, () => lab.leases.issue({ ...REQUEST, ttl: '1h' })));
  // The round waits some seconds for the namespace's one batch operation, and is cut off there.
  await lab.client.workflowService.startBatchOperation({
    namespace: lab.namespace,
    jobId: 'of-an-operator',
    reason: 'slow',
    executions: Array.from({ length: 1_000 }, (_, n) => ({ workflowId: `nobody-${n}`, runId: '' })),
    signalOperation: { signal: 'nudge', identity: 'operator' },
  });
  const body = { holder: 'library:tester', reason: 'laptop lost' };
  const { id } = (await ask(api, '', 'POST', '/v1/revocations', body)).body;
  const look = async () => (await ask(api, '', 'GET', `/v1/revocations/${id}`)).body;
  await eventually(async () => (await look()).block_id === id, 'the block');
  await worker.kill();
  await api.close();
  api = await openApiOverLab(lab);
  expect(await look()).toMatchObject({ state: 'running', block_id: id, reason: 'laptop lost', by: 'token:admin' });
  worker = await lab.startWorker();
  await eventually(async () => (await look()).state !== 'running', 'the bulk revoke to be done', 60_000);
  expect(await look()).toMatchObject({ state: 'done', matched: 8, signalled: 8, left: 0 });
  for (const { leaseId } of leases) {
    expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked', endedBy: 'token:admin' });
    expect(await lab.aws.usersLike(leaseId)).toEqual([]);
  }
  await expect(lab.leases.issue(REQUEST)).rejects.toMatchObject({ code: 'Blocked' });
  await replayed(bulkRevokeId(id));
  await replayed(BLOCKS_WORKFLOW);
}, 120_000);

test('an integration is checked by a worker, with a credential that this process does not have', async () => {
  expect(process.env).not.toHaveProperty('LAB_KEY');
  const { status, body } = await ask(api, '', 'POST', '/v1/integrations/aws/check');
  expect({ status, ...body }).toMatchObject({
    status: 200,
    integration: 'aws',
    worker: expect.stringContaining(`/${worker.pid}@`),
    failure: null,
  });
  expect(body.identity).toMatch(/^arn:aws:/);
  expect(JSON.stringify(body)).not.toContain(lab.environment['LAB_KEY']);
  const query = `WorkflowType = "${CHECK_WORKFLOW}"`;
  await eventually(async () => (await lab.client.workflow.count(query)).count === 1, 'the index');
  for await (const { workflowId } of lab.client.workflow.list({ query })) await replayed(workflowId);
});
