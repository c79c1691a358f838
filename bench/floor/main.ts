import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Client } from '@temporalio/client';
import { manifest } from '../../packaging/package';
import { ACTIVITY_WORKER, STICKY_MS, WORKFLOW_POLLS, WORKFLOW_TASKS } from '../../worker/worker';
import { createFar, createNear } from './activities';
import { FLOOR_MAKE_QUEUE, FLOOR_QUEUE, FLOOR_REMOVE_QUEUE, READY } from './shape';

/** What stands in history for each task of a workflow, as short as that of Leasehold's own worker. */
const BUILD = { buildId: `bench-floor@${manifest().version}` };
/** As the limits of a bench's deployment. */
const SLOTS = 50;

/** A worker of the floor, in a process of its own: `main.js <address> <namespace>`. */
async function work(address: string, namespace: string): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  const connection = await NativeConnection.connect({ address });
  const client = new Client({ connection, namespace });
  const workflowBundle = await bundleWorkflowCode({ workflowsPath: require.resolve('./workflows') });
  const activities = { ...createFar() };
  const far = { connection, namespace, activities, ...ACTIVITY_WORKER, maxConcurrentActivityTaskExecutions: SLOTS };
  const workers = [
    await Worker.create({
      connection,
      namespace,
      taskQueue: FLOOR_QUEUE,
      workflowBundle,
      ...BUILD,
      activities: { ...createNear(client) },
      maxConcurrentWorkflowTaskExecutions: WORKFLOW_TASKS,
      workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: WORKFLOW_POLLS },
      stickyQueueScheduleToStartTimeout: STICKY_MS,
    }),
    await Worker.create({ ...far, taskQueue: FLOOR_MAKE_QUEUE }),
    await Worker.create({ ...far, taskQueue: FLOOR_REMOVE_QUEUE }),
  ];
  process.stdout.write(`${READY}\n`);
  await Promise.all(workers.map((worker) => worker.run()));
  await connection.close();
}

const [address = '', namespace = ''] = process.argv.slice(2);
void work(address, namespace).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
