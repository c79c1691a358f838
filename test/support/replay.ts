import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { bundleWorkflows } from '../../worker/bundle';

// A replay's comings and goings are no news.
Runtime.install({ logger: new DefaultLogger('ERROR') });

let bundle: Promise<{ code: string }> | undefined;

/**
 * Replays a history against the workflows of this tree; rejects if they would now do something else.
 * @param change makes other workflows of them, by their script.
 */
export async function replay(
  history: unknown,
  leaseId: string,
  change: (code: string) => string = (code) => code,
): Promise<void> {
  bundle ??= bundleWorkflows();
  const workflowBundle = { code: change((await bundle).code) } as WorkflowBundleWithSourceMap;
  await Worker.runReplayHistory({ workflowBundle }, history, leaseId);
}
