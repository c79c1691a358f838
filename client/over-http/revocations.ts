import type { z } from 'zod';
import { boundsOf } from '../bounds';
import { checkMany } from '../bulk-input';
import type { ManyFilter } from '../bulk-input';
import { LeaseError } from '../leases';
import { bulkRevokeListBody, bulkRevokeReportBody } from '../wire';
import type { BulkRevokeReportBody } from '../wire';
import { CALL_TIMEOUT_MS, toLeaseError } from './calls';
import { filterFromWire, filterToWire } from './filter';
import { ask } from './remote';
import type { Ask, Flight, Remote } from './remote';

/** Which leases are to end, and why: kept and shown with each of them. */
export interface RevokeManyRequest extends ManyFilter {
  readonly reason: string;
}

/** How far a revoke of many leases has got. */
export interface BulkRevocation {
  readonly id: string;
  /**
   * `done`: two listings in a row found nothing. `incomplete`: all were told again and again, and some do not react. `stopped`: ended
   * by hand in Temporal.
   */
  readonly state: 'running' | 'done' | 'incomplete' | 'stopped';
  readonly filter: ManyFilter;
  readonly by: string;
  readonly reason: string;
  readonly requestedAt: Date;
  readonly endedAt: Date | null;
  /** What keeps more from being issued, until it is lifted; null: not placed yet, or none is needed. */
  readonly blockId: string | null;
  /** Why there is no block although one is needed; null otherwise. */
  readonly remark: string | null;
  /** Listings so far. */
  readonly rounds: number;
  /** Leases that they found; one that did not react at once is found more than once. */
  readonly matched: number;
  /** How many of these were told to end. */
  readonly signalled: number;
  /** Found by the last listing. */
  readonly left: number;
  /** Being removed at the last listing; removal goes on by itself. */
  readonly stillRemoving: number;
}

/** See `HttpLeases.revokeMany`. */
export async function revokeManyOverHttp(
  remote: Remote,
  { reason: given, ...named }: RevokeManyRequest,
): Promise<BulkRevocation> {
  const { filter, reason } = checkMany(named, given);
  const flight: Flight = { mayHaveArrived: false, isUnanswered: false };
  const body = { ...filterToWire(filter), reason };
  try {
    // Once more means the same leases, and the block that is there already.
    return await call(remote, { method: 'POST', body, harmless: true, flight }, bulkRevokeReportBody, toRevocation);
  } catch (error) {
    if (!(error instanceof LeaseError) || !flight.mayHaveArrived) throw error;
    throw new LeaseError(error.code, `${error.message} It may have begun: look at the revocations.`);
  }
}

/** See `HttpLeases.revocation`. */
export function revocationOverHttp(remote: Remote, id: string): Promise<BulkRevocation> {
  const what = { method: 'GET', path: `/${encodeURIComponent(id)}`, harmless: true } as const;
  return call(remote, what, bulkRevokeReportBody, toRevocation);
}

/** See `HttpLeases.revocations`. */
export function revocationsOverHttp(remote: Remote): Promise<readonly BulkRevocation[]> {
  return call(remote, { method: 'GET', harmless: true }, bulkRevokeListBody, ({ revocations }) =>
    revocations.map(toRevocation),
  );
}

/** @param what its path is below that of all revocations. */
async function call<B, T>(
  remote: Remote,
  what: Omit<Ask, 'path'> & { readonly path?: string },
  body: z.ZodType<B>,
  read: (answer: B) => T,
): Promise<T> {
  const path = `/v1/revocations${what.path ?? ''}`;
  try {
    return read(await ask(remote, boundsOf(CALL_TIMEOUT_MS), { ...what, path }, body));
  } catch (error) {
    throw toLeaseError(error);
  }
}

function toRevocation(body: BulkRevokeReportBody): BulkRevocation {
  const { filter, requested_at: requestedAt, ended_at: endedAt, block_id: blockId, ...rest } = body;
  const { still_removing: stillRemoving, ...same } = rest;
  return {
    ...same,
    filter: filterFromWire(filter),
    requestedAt: new Date(requestedAt),
    endedAt: endedAt === null ? null : new Date(endedAt),
    blockId,
    stillRemoving,
  };
}
