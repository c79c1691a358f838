import type { Step } from './moments';

/** From the call of `issue` to its answer. The same of the floor, whose tasks do less. */
export const ISSUE_STEPS: readonly Step[] = [
  { name: 'client: key pair and ids; request to Temporal', until: 'WORKFLOW_EXECUTION_STARTED' },
  { name: 'first workflow task waits for the worker', until: 'WORKFLOW_TASK_STARTED' },
  { name: 'first workflow task: plan, until Temporal has its outcome', until: 'WORKFLOW_TASK_COMPLETED' },
  { name: 'activity waits for the worker', until: 'ACTIVITY_TASK_STARTED' },
  { name: 'activity: fence, provider, seal, until Temporal has its outcome', until: 'ACTIVITY_TASK_COMPLETED' },
  { name: 'second workflow task waits for the worker', until: 'WORKFLOW_TASK_STARTED' },
  { name: 'second workflow task: audit line, until Temporal has its outcome', until: 'WORKFLOW_TASK_COMPLETED' },
  { name: 'answer to the client; opening', until: null },
];

/** From the call of `revoke` with `wait` to its answer. */
export const END_STEPS: readonly Step[] = [
  { name: 'client: signal to Temporal', until: 'WORKFLOW_EXECUTION_SIGNALED' },
  { name: 'workflow task waits for the worker', until: 'WORKFLOW_TASK_STARTED' },
  { name: 'workflow task, until Temporal has its outcome', until: 'WORKFLOW_TASK_COMPLETED' },
  { name: 'activity waits for the worker', until: 'ACTIVITY_TASK_STARTED' },
  { name: 'activity: fence, provider, until Temporal has its outcome', until: 'ACTIVITY_TASK_COMPLETED' },
  { name: 'last workflow task waits for the worker', until: 'WORKFLOW_TASK_STARTED' },
  { name: 'last workflow task: audit line, until Temporal has its outcome', until: 'WORKFLOW_TASK_COMPLETED' },
  { name: 'answer to the client, which waits for it', until: null },
];
