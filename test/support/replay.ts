import { Worker } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { bundleWorkflows } from '../../worker/bundle';
import { installQuietRuntime } from './quiet-runtime';

// A replay's comings and goings are no news.
installQuietRuntime();

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

/**
 * A history as a replay needs it to take the run for what it is: one that was made by a reset begins with the events of the run
 * before it, from which a replay would read that it is that one.
 */
export function asRun<H extends History>(history: H, runId: string): H {
  const attributes = history.events?.[0]?.workflowExecutionStartedEventAttributes;
  if (attributes != null) attributes.originalExecutionRunId = runId;
  return history;
}

interface History {
  readonly events?:
    | readonly {
        readonly workflowExecutionStartedEventAttributes?: { originalExecutionRunId?: string | null } | null;
      }[]
    | null;
}
