import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { bundleWorkflows } from '../../worker/bundle';

// A replay's comings and goings are no news.
Runtime.install({ logger: new DefaultLogger('ERROR') });

let bundle: Promise<{ code: string }> | undefined;

/** Replays a history against the workflows of this tree; rejects if they would now do something else. */
export async function replay(history: unknown, leaseId: string): Promise<void> {
  bundle ??= bundleWorkflows();
  const workflowBundle = (await bundle) as WorkflowBundleWithSourceMap;
  await Worker.runReplayHistory({ workflowBundle }, history, leaseId);
}
