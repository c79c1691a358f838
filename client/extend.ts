import { WorkflowNotFoundError } from '@temporalio/common';
import { extend } from '../workflows/contract';
import { notFound, terminated } from './end';
import { toLeaseError } from './failures';
import { checkLeaseId, checkSignal, checkTimeout, checkTtl } from './input';
import { LeaseError } from './leases';
import type { CallOptions, Ttl } from './leases';
import { look } from './look';
import type { Session } from './session';
import { boundsOf, Interrupted, isTooLate, within } from './waiting';
import type { Bounds } from './waiting';

/** Above the 60 s that the provider may take by default. */
const EXTEND_TIMEOUT_MS = 75_000;

/** See `Leases.extend`. */
export async function extendLease(session: Session, leaseId: string, ttl: Ttl, options?: CallOptions): Promise<Date> {
  const id = checkLeaseId(leaseId);
  const ttlMs = checkTtl(ttl);
  const timeoutMs = checkTimeout(options?.timeoutMs, 'timeoutMs') ?? EXTEND_TIMEOUT_MS;
  const bounds = boundsOf(timeoutMs, checkSignal(options?.signal));
  const handle = session.client.workflow.getHandle(id);
  try {
    const { expiresAt } = await within(session, bounds, () => handle.executeUpdate(extend, { args: [{ ttlMs }] }));
    return new Date(expiresAt);
  } catch (error) {
    throw await explain(session, id, bounds, error);
  }
}

async function explain(session: Session, leaseId: string, bounds: Bounds, error: unknown): Promise<LeaseError> {
  if (error instanceof WorkflowNotFoundError) return explainAbsence(session, leaseId, bounds);
  const aborted = error instanceof Interrupted && error.why === 'aborted';
  if (aborted || isTooLate(error)) {
    const what = aborted ? 'The caller stopped waiting for' : 'No worker answered in time to';
    return new LeaseError(
      aborted ? 'Aborted' : 'Timeout',
      `${what} an extension of lease ${leaseId}, which may still happen: ask get for its expiry.`,
      { leaseId },
    );
  }
  return toLeaseError(error, { leaseId });
}

async function explainAbsence(session: Session, leaseId: string, bounds: Bounds): Promise<LeaseError> {
  try {
    const found = await within(session, bounds, () => look(session, leaseId));
    if (found === null) return notFound(leaseId);
    const { state } = found.summary;
    if (state === 'terminated') return terminated(leaseId);
    return new LeaseError('LeaseEnded', `Lease ${leaseId} cannot be extended: it is ${state}.`, { leaseId, state });
  } catch (error) {
    return toLeaseError(error, { leaseId });
  }
}
