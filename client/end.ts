import { WorkflowNotFoundError } from '@temporalio/common';
import type { LeaseOutcome } from '../workflows/contract';
import { formatTtl } from '../workflows/ttl';
import { CALL_TIMEOUT_MS, grpcStatusOf } from '../temporal/service';
import { tellToEnd } from '../temporal/tell-to-end';
import { toLeaseError } from './failures';
import { checkLeaseId, checkRevoke } from './input';
import { LeaseError } from './leases';
import type { Revocation, RevokeOptions } from './leases';
import { look, readOutcome } from './look';
import type { Session } from './session';
import { boundsOf, Interrupted, isTooLate, within } from './waiting';

/**
 * See `Leases.revoke`.
 * @param holder who asks if the options do not say.
 */
export async function revokeLease(
  session: Session,
  leaseId: string,
  options?: RevokeOptions,
  holder = 'library',
): Promise<Revocation> {
  const id = checkLeaseId(leaseId);
  const { by, reason, waitMs, signal } = checkRevoke(options, session.keptName);
  try {
    const bounds = boundsOf(CALL_TIMEOUT_MS, signal);
    const asked = await within(session, bounds, () =>
      sendRevoke(session, id, { by: by ?? holder, ...(reason === null ? {} : { reason }) }),
    );
    if (asked && waitMs === null) {
      return { leaseId: id, state: 'accepted', endedAt: null, endedBy: null, reason: null };
    }
    const wait = boundsOf(waitMs ?? CALL_TIMEOUT_MS, signal);
    return toRevocation(await within(session, wait, () => waitForEnd(session, id)));
  } catch (error) {
    throw explain(id, waitMs, error);
  }
}

/** Whether the lease ran, so that it was told. */
async function sendRevoke(
  session: Session,
  leaseId: string,
  input: { readonly by: string; readonly reason?: string },
): Promise<boolean> {
  try {
    await tellToEnd(session.client.workflow.getHandle(leaseId), input);
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

async function waitForEnd(session: Session, leaseId: string): Promise<LeaseOutcome> {
  const found = await look(session, leaseId);
  if (found === null) throw notFound(leaseId);
  if (found.closed && !found.completed) throw terminated(leaseId);
  try {
    return await readOutcome(session, leaseId, found.runId);
  } catch (error) {
    if (grpcStatusOf(error) !== null) throw error;
    throw terminated(leaseId);
  }
}

function toRevocation({ leaseId, state, endedAt, endedBy, reason }: LeaseOutcome): Revocation {
  return { leaseId, state, endedAt: new Date(endedAt), endedBy, reason };
}

/** There is no such lease, or the server remembers it no more. */
export function notFound(leaseId: string): LeaseError {
  return new LeaseError(
    'LeaseNotFound',
    `There is no lease ${leaseId}, or it ended so long ago that it is forgotten.`,
    {
      leaseId,
    },
  );
}

/** Its workflow is gone and cannot remove anything. */
export function terminated(leaseId: string): LeaseError {
  return new LeaseError(
    'LeaseEnded',
    `Lease ${leaseId} was terminated in Temporal, so that no removal runs: its credential may still work.`,
    { leaseId, state: 'terminated' },
  );
}

function explain(leaseId: string, waitMs: number | null, error: unknown): LeaseError {
  if (error instanceof Interrupted && error.why === 'aborted') {
    return new LeaseError('Aborted', `The caller stopped waiting for the end of lease ${leaseId}.`, { leaseId });
  }
  if (isTooLate(error)) {
    const span = waitMs === null || waitMs < 1_000 ? 'in time' : `within ${formatTtl(waitMs)}`;
    return new LeaseError(
      'Timeout',
      `The end of lease ${leaseId} was not confirmed ${span}. A revoke that was accepted goes on: ask get for its state.`,
      { leaseId },
    );
  }
  return toLeaseError(error, { leaseId });
}
