import { WorkflowNotFoundError } from '@temporalio/common';
import { grpcStatusOf } from '../temporal/service';
import { revoke } from '../workflows/contract';
import { thumbprint } from '../sealing/recipient';
import { toLeaseError } from './failures';
import { checkSealedIssue } from './input';
import { deriveLeaseId } from './lease-id';
import type { Undelivered } from './leases';
import { isLive, look } from './look';
import type { Found } from './look';
import { invalid } from './refusals';
import type { Disowned, DisownRequest } from './service';
import type { Session } from './session';
import { readView } from './view';
import { boundsOf, pause, within } from './waiting';
import type { Bounds } from './waiting';

const GIVE_UP_AFTER_MS = 15_000;
/** The call that was given up may still be on its way to Temporal, or be revoking by itself, this long. */
const SETTLES_WITHIN_MS = 2_000;
/** Whoever lost an answer must not have the server asked without end: a few looks find what has become of it. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 1_000;
const QUERY_TIMEOUT_MS = 3_000;

/** See `LeaseService.disown`. */
export async function disownLease(session: Session, request: DisownRequest): Promise<Disowned> {
  const { shared, onFound, ...issue } = request;
  const { project, config, dynamicSecret, holder, idempotencyKey, recipient } = await checkSealedIssue(
    issue,
    session.keptName,
  );
  if (idempotencyKey === null || recipient === null) throw invalid('idempotencyKey', 'must be that of the issue');
  const { deployment } = session;
  const leaseId = deriveLeaseId({ deployment, holder, project, config, dynamicSecret, idempotencyKey });
  const issuedTo = await thumbprint(recipient.publicJwk);
  await onFound?.(leaseId);
  const bounds = boundsOf(GIVE_UP_AFTER_MS);
  const settled = Date.now() + SETTLES_WITHIN_MS;
  for (let wait = FIRST_PAUSE_MS; Date.now() < bounds.deadline; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    const isSettled = Date.now() >= settled;
    try {
      const undelivered = await judge(session, bounds, leaseId, shared ? null : { holder, issuedTo }, isSettled);
      if (undelivered !== null) return { leaseId, undelivered };
    } catch (error) {
      const status = grpcStatusOf(error);
      if (status === 'permissionDenied' || status === 'unauthenticated') throw toLeaseError(error, { leaseId });
    }
    await pause(wait);
  }
  return { leaseId, undelivered: 'unknown' };
}

/** Whose credential it is if nobody else may have it. */
interface Own {
  readonly holder: string;
  readonly issuedTo: string;
}

/** What has become of the lease; null: that is not certain yet. */
async function judge(
  session: Session,
  bounds: Bounds,
  leaseId: string,
  own: Own | null,
  isSettled: boolean,
): Promise<Undelivered | null> {
  const found = await within(session, bounds, () => look(session, leaseId));
  if (found === null) return isSettled ? 'nothing started' : null;
  if (found.closed) return 'ended';
  if (!isLive(found.summary.state)) return 'revoke accepted';
  if (own === null) {
    // Its worker is asked once, at the end: of a revoke that is under way the state mostly tells before.
    if (!isSettled) return null;
    return (await isEnding(session, leaseId, found)) === true ? 'revoke accepted' : 'left alone';
  }
  // Not asked of the lease where the server knows: each signal stays in its history, and too many make it deaf to every revoke.
  if (found.issuedTo !== null && found.issuedTo !== own.issuedTo) return 'left alone';
  try {
    await within(session, bounds, () =>
      session.client.workflow.getHandle(leaseId, found.runId).signal(revoke, {
        by: own.holder,
        reason: 'undelivered',
        ifIssuedTo: own.issuedTo,
      }),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'ended';
    throw error;
  }
  // Ignored, if it was issued to another key. If no worker answers, nobody was handed anything.
  return (await isEnding(session, leaseId, found)) === false ? 'left alone' : 'revoke accepted';
}

/** Whether the lease is ending; null: no worker answers. */
async function isEnding(session: Session, leaseId: string, { runId }: Found): Promise<boolean | null> {
  try {
    const view = await readView(session, boundsOf(QUERY_TIMEOUT_MS), leaseId, runId);
    return view.endedBy !== null || !isLive(view.state);
  } catch {
    return null;
  }
}
