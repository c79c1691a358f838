import { WorkflowNotFoundError } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import { CALL_TIMEOUT_MS } from '../temporal/service';

/** Whether there is a workflow of this id that has not ended. Asks the server, not the index. */
export async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { closeTime } = await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      client.workflow.getHandle(workflowId).describe(),
    );
    return closeTime === undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
