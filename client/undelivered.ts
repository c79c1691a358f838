import { WorkflowNotFoundError } from '@temporalio/common';
import { grpcStatusOf } from '../temporal/service';
import { revoke } from '../workflows/contract';
import type { Undelivered } from './leases';
import { look } from './look';
import type { Order } from './order';
import type { Session } from './session';
import { readView } from './view';
import { boundsOf, pause, within } from './waiting';

/** How long a revoke is tried before the lease is left to its TTL. */
const GIVE_UP_AFTER_MS = 15_000;
/** A start whose answer was lost may still be on its way this long after we stopped waiting for it. */
const MAY_APPEAR_FOR_MS = 2_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
const QUERY_TIMEOUT_MS = 3_000;

/**
 * Revokes what this order started, if anything, because its credential will not reach the caller. A lease that was only joined, or
 * whose credential somebody else with the same key pair may have, is left alone.
 */
export async function revokeUndelivered(session: Session, order: Order): Promise<Undelivered> {
  if (order.flight === 'none') return 'nothing started';
  const bounds = boundsOf(GIVE_UP_AFTER_MS);
  let absentSince: number | null = null;
  for (let wait = FIRST_PAUSE_MS; Date.now() < bounds.deadline; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    const answered = isAnswered(order);
    try {
      const found = await within(session, bounds, () => revokeOurs(session, order));
      if (found !== 'absent') return found;
      // While the start is under way, "not there" means nothing.
      if (answered) {
        absentSince ??= Date.now();
        if (Date.now() - absentSince >= MAY_APPEAR_FOR_MS) return 'nothing started';
      }
    } catch (error) {
      const status = grpcStatusOf(error);
      if (status === 'permissionDenied' || status === 'unauthenticated') return 'unknown';
    }
    await pause(wait);
  }
  return 'unknown';
}

async function revokeOurs(session: Session, order: Order): Promise<Undelivered | 'absent'> {
  const found = await look(session, order.leaseId);
  if (found === null) return 'absent';
  if (!order.exclusive && found.issue !== order.issue) return 'left alone';
  if (found.closed) return 'ended';
  const joinable = !order.exclusive && order.shared;
  if (joinable && found.summary.state !== 'provisioning') return 'left alone';
  const handle = session.client.workflow.getHandle(order.leaseId, found.runId);
  const { holder, thumbprint } = order.input;
  try {
    await handle.signal(revoke, {
      by: holder,
      reason: 'undelivered',
      ifIssuedTo: thumbprint,
      // Between our look and the signal another call with the same key pair may have been answered.
      ...(joinable ? { ifUndelivered: true } : {}),
    });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'ended';
    throw error;
  }
  return joinable && (await wasIgnored(session, order.leaseId, found.runId)) ? 'left alone' : 'revoke accepted';
}

/** Whether the condition of the signal did not hold. If no worker answers, nobody was handed anything. */
async function wasIgnored(session: Session, leaseId: string, runId: string): Promise<boolean> {
  try {
    const view = await readView(session, boundsOf(QUERY_TIMEOUT_MS), leaseId, runId);
    return view.delivered && view.endedBy === null;
  } catch {
    return false;
  }
}

/** The order changes while we wait for it. */
function isAnswered(order: Order): boolean {
  return order.flight === 'over';
}
