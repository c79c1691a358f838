import { isLeaseFailureType } from '../../workflows/words';
import type { LeaseFailureType } from '../../workflows/words';
import { boundsOf, Interrupted } from '../bounds';
import { checkFilter, checkLeaseId, checkSignal, checkTimeout, checkTtl } from '../input';
import { LeaseError } from '../leases';
import type { CallOptions, LeaseErrorFacts, LeaseFilter, LeaseReport, LeaseSummary, Ttl } from '../leases';
import { extendedBody, leasePageBody, leaseReportBody } from '../wire';
import type { LeaseBody } from '../wire';
import { fromWireCode } from './refusal';
import { ask, Lost } from './remote';
import type { Remote } from './remote';

/** Longest wait for one short question, repeats included. Above what the API itself waits for Temporal. */
export const CALL_TIMEOUT_MS = 20_000;
/** Above the 60 s that the provider may take by default. */
const EXTEND_TIMEOUT_MS = 75_000;

/** See `Leases.extend`. */
export async function extendOverHttp(remote: Remote, leaseId: string, ttl: Ttl, options?: CallOptions): Promise<Date> {
  const id = checkLeaseId(leaseId);
  const ttlMs = checkTtl(ttl);
  const timeoutMs = checkTimeout(options?.timeoutMs, 'timeoutMs') ?? EXTEND_TIMEOUT_MS;
  const bounds = boundsOf(timeoutMs, checkSignal(options?.signal));
  const body = { ttl: ttlMs / 1_000 };
  try {
    const answer = await ask(
      remote,
      bounds,
      { method: 'POST', path: `/v1/leases/${id}/extend`, body, harmless: false },
      extendedBody,
      { leaseId: id },
    );
    return new Date(answer.expires_at);
  } catch (error) {
    const advice = `an extension of lease ${id}, which may still happen: ask get for its expiry.`;
    if (error instanceof Interrupted) {
      const isAbort = error.why === 'aborted';
      const what = isAbort ? 'The caller stopped waiting for' : 'No answer came in time to';
      throw new LeaseError(isAbort ? 'Aborted' : 'Timeout', `${what} ${advice}`, { leaseId: id });
    }
    if (error instanceof Lost && error.reached) {
      throw new LeaseError('Unavailable', `${error.message} It was to ${advice}`, { leaseId: id });
    }
    throw toLeaseError(error, { leaseId: id });
  }
}

/** See `Leases.get`. */
export async function getOverHttp(remote: Remote, leaseId: string): Promise<LeaseReport> {
  const id = checkLeaseId(leaseId);
  try {
    const answer = await ask(
      remote,
      boundsOf(CALL_TIMEOUT_MS),
      { method: 'GET', path: `/v1/leases/${id}`, harmless: true },
      leaseReportBody,
      { leaseId: id },
    );
    const { ended_by: endedBy, reason, failure } = answer;
    return {
      ...toSummary(answer),
      endedBy,
      reason,
      failure: failure === null ? null : { type: toFailureType(failure.code), message: failure.message },
    };
  } catch (error) {
    throw toLeaseError(error, { leaseId: id });
  }
}

/** See `Leases.list`. */
export function listOverHttp(remote: Remote, filter?: LeaseFilter): AsyncIterable<LeaseSummary> {
  const query = toQuery(checkFilter(filter));
  return { [Symbol.asyncIterator]: () => iterate(remote, query) };
}

async function* iterate(
  remote: Remote,
  query: readonly [string, string][],
): AsyncGenerator<LeaseSummary, void, undefined> {
  let cursor: string | null = null;
  do {
    const parameters = new URLSearchParams([...query]);
    if (cursor !== null) parameters.set('cursor', cursor);
    const page: LeasePage = await nextPage(remote, parameters.size === 0 ? '' : `?${parameters.toString()}`);
    for (const lease of page.leases) yield toSummary(lease);
    cursor = page.next_cursor;
  } while (cursor !== null);
}

interface LeasePage {
  readonly leases: readonly LeaseBody[];
  readonly next_cursor: string | null;
}

async function nextPage(remote: Remote, query: string): Promise<LeasePage> {
  try {
    return await ask(
      remote,
      boundsOf(CALL_TIMEOUT_MS),
      { method: 'GET', path: `/v1/leases${query}`, harmless: true },
      leasePageBody,
    );
  } catch (error) {
    throw toLeaseError(error);
  }
}

function toQuery({ dynamicSecret, pageSize, live, ...rest }: LeaseFilter): readonly [string, string][] {
  const query = { ...rest, dynamic_secret: dynamicSecret, limit: pageSize, live };
  return Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
}

function toSummary(body: LeaseBody): LeaseSummary {
  return {
    leaseId: body.lease_id,
    state: body.state,
    project: body.project,
    config: body.config,
    dynamicSecret: body.dynamic_secret,
    integration: body.integration,
    holder: body.holder,
    entity: body.entity,
    requestedAt: new Date(body.requested_at),
    expiresAt: toDate(body.expires_at),
    endedAt: toDate(body.ended_at),
  };
}

function toDate(instant: string | null): Date | null {
  return instant === null ? null : new Date(instant);
}

function toFailureType(code: string): LeaseFailureType {
  const known = fromWireCode(code);
  return isLeaseFailureType(known) ? known : 'Unavailable';
}

/** What any call may meet, as the caller sees it. */
export function toLeaseError(error: unknown, facts: LeaseErrorFacts = {}): LeaseError {
  if (error instanceof LeaseError) return error;
  if (error instanceof Interrupted)
    return new LeaseError('Timeout', 'The Leasehold API did not answer in time.', facts);
  const message = error instanceof Lost ? error.message : 'The Leasehold API could not be asked.';
  return new LeaseError('Unavailable', message, facts);
}
