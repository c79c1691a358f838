import { summarise } from '../temporal/lease-summary';
import { buildQuery, matches } from '../temporal/query';
import { CALL_TIMEOUT_MS } from '../temporal/service';
import { notFound } from './end';
import { toLeaseError } from './failures';
import { checkFilter, checkLeaseId } from './input';
import type { LeaseFilter, LeaseReport, LeaseSummary } from './leases';
import { look, readOutcome } from './look';
import type { Session } from './session';
import { boundsOf, within } from './waiting';

/** See `Leases.get`. */
export async function getLease(session: Session, leaseId: string): Promise<LeaseReport> {
  const id = checkLeaseId(leaseId);
  try {
    const report = await within(session, boundsOf(CALL_TIMEOUT_MS), () => readReport(session, id));
    if (report === null) throw notFound(id);
    return report;
  } catch (error) {
    throw toLeaseError(error, { leaseId: id });
  }
}

async function readReport(session: Session, leaseId: string): Promise<LeaseReport | null> {
  const found = await look(session, leaseId);
  if (found === null) return null;
  const running = { ...found.summary, endedBy: null, reason: null, failure: null };
  if (!found.completed) return running;
  const { state, endedAt, endedBy, reason, failure } = await readOutcome(session, leaseId, found.runId);
  return { ...running, state, endedAt: new Date(endedAt), endedBy, reason, failure };
}

/** See `Leases.list`. */
export function listLeases(session: Session, filter?: LeaseFilter): AsyncIterable<LeaseSummary> {
  const checked = checkFilter(filter);
  return { [Symbol.asyncIterator]: () => iterate(session, checked) };
}

async function* iterate(session: Session, filter: LeaseFilter): AsyncGenerator<LeaseSummary, void, undefined> {
  const { pageSize } = filter;
  const query = buildQuery(filter);
  const found = session.client.workflow
    .list({ query, ...(pageSize === undefined ? {} : { pageSize }) })
    [Symbol.asyncIterator]();
  for (;;) {
    const next = await nextOf(session, found);
    if (next.done === true) return;
    const lease = summarise(next.value);
    if (matches(lease, filter)) yield lease;
  }
}

async function nextOf<T>(session: Session, found: AsyncIterator<T>): Promise<IteratorResult<T>> {
  try {
    return await within(session, boundsOf(CALL_TIMEOUT_MS), () => found.next());
  } catch (error) {
    throw toLeaseError(error);
  }
}
