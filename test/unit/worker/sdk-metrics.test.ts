import { once } from 'node:events';
import { createServer } from 'node:http';
import { createSdkMetrics } from '../../../worker/sdk-metrics';

/** What the SDK would serve at the address that it is given. */
async function serveAt(address: string, text: string): Promise<() => void> {
  const { hostname, port } = new URL(`http://${address}`);
  const server = createServer((_, response) => response.end(text)).listen(Number(port), hostname);
  await once(server, 'listening');
  return () => {
    server.close();
  };
}

test('what the SDK measures is told by queues of Leasehold alone, and its failures with 0 before the first', async () => {
  const metrics = await createSdkMetrics();
  metrics.serve({ workflows: true, integrations: ['aws'] });
  const text = [
    'temporal_sticky_cache_size{namespace="default",task_queue="leasehold"} 3',
    'temporal_activity_execution_failed{activity_type="provision",failure_reason="ActivityError",task_queue="aws/provision"} 2',
    'temporal_worker_task_slots_used{task_queue="1@host-0123",worker_type="WorkflowWorker"} 1',
    'temporal_worker_task_slots_used{task_queue="2@host-4567",worker_type="WorkflowWorker"} 1',
    'temporal_worker_start{task_queue="leasehold"} 1',
    '',
  ].join('\n');
  const close = await serveAt(metrics.exporter.prometheus.bindAddress, text);
  const lines = (await metrics.read()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  close();
  const failed = (reason: string, queue: string) => `{failure_reason="${reason}",task_queue="${queue}"}`;
  expect(lines).toEqual([
    `temporal_workflow_task_execution_failed${failed('NonDeterminismError', 'leasehold')} 0`,
    `temporal_workflow_task_execution_failed${failed('WorkflowError', 'leasehold')} 0`,
    `temporal_activity_execution_failed${failed('ActivityError', 'aws/provision')} 2`,
    `temporal_activity_execution_failed${failed('ActivityError', 'aws/deprovision')} 0`,
    `temporal_activity_execution_failed${failed('ActivityError', 'aws/upkeep')} 0`,
    'temporal_sticky_cache_size{task_queue="leasehold"} 3',
    'temporal_worker_task_slots_used{task_queue="other",worker_type="WorkflowWorker"} 2',
  ]);
});

test('where nothing answers there is nothing to tell, and the scrape goes without it', async () => {
  const metrics = await createSdkMetrics();
  await expect(metrics.read()).rejects.toThrow('ECONNREFUSED');
});
