import { formatTtl } from '../../workflows/ttl';
import { boundsOf, Interrupted } from '../bounds';
import type { Bounds } from '../bounds';
import type { KeepName } from '../identity';
import { checkLeaseId, checkRevoke } from '../input';
import { LeaseError } from '../leases';
import type { Revocation, RevokeOptions } from '../leases';
import { invalid } from '../refusals';
import { revokedBody } from '../wire';
import { CALL_TIMEOUT_MS, toLeaseError } from './calls';
import { ask } from './remote';
import type { Remote } from './remote';

/** Longest wait in one request: proxies commonly cut one after a minute. */
const WAIT_SLICE_MS = 45_000;

/** See `Leases.revoke`. */
export async function revokeOverHttp(remote: Remote, leaseId: string, options?: RevokeOptions): Promise<Revocation> {
  const id = checkLeaseId(leaseId);
  const { reason, waitMs, signal } = checkRevoke(options, refuseName);
  try {
    // That the revoke is accepted is not given up for a short wait.
    const first = await revoke(remote, boundsOf(CALL_TIMEOUT_MS, signal), id, reason, null);
    if (waitMs === null || first.state !== 'accepted') return first;
    return await waitForEnd(remote, boundsOf(waitMs, signal), id, reason);
  } catch (error) {
    throw explain(id, waitMs, error);
  }
}

async function waitForEnd(remote: Remote, bounds: Bounds, leaseId: string, reason: string | null): Promise<Revocation> {
  for (;;) {
    const left = Math.max(1_000, Math.min(bounds.deadline - Date.now(), WAIT_SLICE_MS));
    try {
      const revocation = await revoke(remote, bounds, leaseId, reason, Math.ceil(left / 1_000));
      if (revocation.state !== 'accepted') return revocation;
    } catch (error) {
      const isSlice = error instanceof LeaseError && error.code === 'Timeout';
      if (!isSlice || Date.now() >= bounds.deadline) throw error;
    }
  }
}

async function revoke(
  remote: Remote,
  bounds: Bounds,
  leaseId: string,
  reason: string | null,
  waitSeconds: number | null,
): Promise<Revocation> {
  const body = {
    ...(reason === null ? {} : { reason }),
    ...(waitSeconds === null ? {} : { wait: `${waitSeconds}s` }),
  };
  const answer = await ask(
    remote,
    bounds,
    { method: 'POST', path: `/v1/leases/${leaseId}/revoke`, body, harmless: true },
    revokedBody,
    { leaseId },
  );
  return {
    leaseId,
    state: answer.state,
    endedAt: answer.ended_at === null ? null : new Date(answer.ended_at),
    endedBy: answer.ended_by,
    reason: answer.reason,
  };
}

function explain(leaseId: string, waitMs: number | null, error: unknown): LeaseError {
  if (!(error instanceof Interrupted)) return toLeaseError(error, { leaseId });
  if (error.why === 'aborted') {
    return new LeaseError('Aborted', `The caller stopped waiting for the end of lease ${leaseId}.`, { leaseId });
  }
  const span = waitMs === null || waitMs < 1_000 ? 'in time' : `within ${formatTtl(waitMs)}`;
  return new LeaseError(
    'Timeout',
    `The end of lease ${leaseId} was not confirmed ${span}. A revoke that was accepted goes on: ask get for its state.`,
    { leaseId },
  );
}

const refuseName: KeepName = (_, field) => {
  throw invalid(field, 'must be left out: over HTTP it is whom the token stands for');
};
