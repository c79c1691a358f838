import { QueryNotRegisteredError } from '@temporalio/client';
import { lease } from '../workflows/contract';
import type { LeaseView } from '../workflows/contract';
import type { Session } from './session';
import { pause, within } from './waiting';
import type { Bounds } from './waiting';

const ASK_AGAIN_AFTER_MS = 100;

/**
 * What the workflow of a lease says of itself, by a worker. A worker that finds something the workflow has yet to take in refuses to
 * answer (see workflows/task-guard.ts) and is asked again, within the bounds.
 * @throws Interrupted at the bounds, and the errors of Temporal's client.
 */
export async function readView(
  session: Pick<Session, 'client'>,
  bounds: Bounds,
  leaseId: string,
  runId: string,
): Promise<LeaseView> {
  for (;;) {
    try {
      return await within(session, bounds, () => session.client.workflow.getHandle(leaseId, runId).query(lease));
    } catch (error) {
      // The client calls every failure of a query so; every lease has this one.
      if (!(error instanceof QueryNotRegisteredError) || Date.now() + ASK_AGAIN_AFTER_MS >= bounds.deadline)
        throw error;
    }
    await pause(ASK_AGAIN_AFTER_MS);
  }
}
