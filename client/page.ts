import { executionInfoFromRaw } from '@temporalio/client/lib/helpers';
import { summarise } from '../temporal/lease-summary';
import { buildQuery, matches } from '../temporal/query';
import { CALL_TIMEOUT_MS, grpcStatusOf } from '../temporal/service';
import { toLeaseError } from './failures';
import { checkFilter } from './input';
import type { LeaseFilter, LeaseSummary } from './leases';
import { invalid } from './refusals';
import type { LeasePage } from './service';
import type { Session } from './session';
import { boundsOf, within } from './waiting';

const PAGE_SIZE = 100;
const CURSOR = /^[A-Za-z0-9_-]{1,4000}$/;

/** See `LeaseService.page`. The client's own `list` keeps its place to itself, so the server is asked directly. */
export async function pageLeases(session: Session, filter: LeaseFilter, cursor: string | null): Promise<LeasePage> {
  const checked = checkFilter(filter);
  if (cursor !== null && !CURSOR.test(cursor)) throw invalid('cursor', NO_CURSOR);
  const { client, namespace } = session;
  try {
    return await within(session, boundsOf(CALL_TIMEOUT_MS), async () => {
      const { executions, nextPageToken } = await client.workflowService.listWorkflowExecutions({
        namespace,
        query: buildQuery(checked),
        pageSize: checked.pageSize ?? PAGE_SIZE,
        nextPageToken: cursor === null ? new Uint8Array() : Buffer.from(cursor, 'base64url'),
      });
      const leases: LeaseSummary[] = [];
      for (const raw of executions) {
        const lease = summarise(await executionInfoFromRaw(raw, client.options.loadedDataConverter, raw, namespace));
        if (matches(lease, checked)) leases.push(lease);
      }
      return { leases, next: nextPageToken.length === 0 ? null : Buffer.from(nextPageToken).toString('base64url') };
    });
  } catch (error) {
    if (cursor !== null && grpcStatusOf(error) === 'invalidArgument') throw invalid('cursor', NO_CURSOR);
    throw toLeaseError(error);
  }
}

const NO_CURSOR = 'must be the next_cursor of a page before, of the same list';
