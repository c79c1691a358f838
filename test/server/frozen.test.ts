import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { WORKFLOW_QUEUE } from '../../workflows/contract';
import { openMemoryLab } from '../support/memory-lab';

// A process that is stopped in the middle of a workflow's script, and goes on, has used up the time that a script has. Node would end
// all of it then, this test's own process too.
test('a worker that was frozen for seconds in the middle of a workflow goes on', async () => {
  const lab = await openMemoryLab();
  try {
    const workflowBundle = await bundleWorkflowCode({
      logger: new DefaultLogger('ERROR'),
      workflowsPath: require.resolve('../support/long-computation.ts'),
    });
    await lab.startWorker({ workflowBundle, share: { workflows: true, integrations: [] } });
    const options = { workflowId: 'frozen', taskQueue: WORKFLOW_QUEUE, workflowTaskTimeout: '20s' };
    expect(await lab.client.workflow.execute('longComputation', options)).toBe('went on');
  } finally {
    await lab.close();
  }
}, 40_000);
