import { QueryNotRegisteredError } from '@temporalio/client';
import { lease } from '../workflows/contract';
import type { LeaseView } from '../workflows/contract';
import type { Session } from './session';
import { pause, within } from './waiting';
import type { Bounds } from './waiting';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
/** Longer than a workflow that runs takes to catch up. One that was closed never does. */
const REFUSED_FOR_MS = 2_000;

/**
 * What the workflow of a lease says of itself, by a worker. A worker that finds something the workflow has yet to take in refuses to
 * answer (see workflows/task-guard.ts) and is asked again for a while.
 * @throws Interrupted at the bounds; QueryNotRegisteredError if it goes on refusing; and the errors of Temporal's client.
 */
export async function readView(
  session: Pick<Session, 'client'>,
  bounds: Bounds,
  leaseId: string,
  runId: string,
): Promise<LeaseView> {
  const until = Math.min(bounds.deadline, Date.now() + REFUSED_FOR_MS);
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    try {
      return await within(session, bounds, () => session.client.workflow.getHandle(leaseId, runId).query(lease));
    } catch (error) {
      // The client calls every failure of a query so; every lease has this one.
      if (!(error instanceof QueryNotRegisteredError) || Date.now() + wait >= until) throw error;
    }
    await pause(wait);
  }
}
