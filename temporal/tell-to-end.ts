import { WorkflowNotFoundError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { revoke } from '../workflows/contract';
import type { RevokeInput } from '../workflows/contract';
import { grpcStatusOf } from './service';

/**
 * Tells a lease to end. One that was sent as many signals as the server lets a workflow have (10,000 by default) takes no more of them,
 * and is cancelled instead, which its workflow takes for a revoke by nobody known. Only for a revoke without a condition: a cancel has none.
 * @throws WorkflowNotFoundError if it does not run.
 */
export async function tellToEnd(handle: WorkflowHandle, input: Pick<RevokeInput, 'by' | 'reason'>): Promise<void> {
  try {
    await handle.signal(revoke, input);
  } catch (error) {
    if (grpcStatusOf(error) !== 'invalidArgument') throw error;
    await handle.cancel();
  }
}

/** Whether what could not be told says something of that lease alone: it has ended, or takes no more of it. Others can be told all the same. */
export function concernsItAlone(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError || grpcStatusOf(error) === 'invalidArgument';
}
