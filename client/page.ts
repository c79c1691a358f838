import { executionInfoFromRaw } from '@temporalio/client/lib/helpers';
import { digestOf } from '../sealing/parts';
import { summarise } from '../temporal/lease-summary';
import { buildQuery, matches } from '../temporal/query';
import type { Reach } from '../temporal/query';
import { CALL_TIMEOUT_MS, grpcStatusOf } from '../temporal/service';
import { toLeaseError } from './failures';
import { checkFilter } from './input';
import type { LeaseFilter, LeaseSummary } from './leases';
import { invalid } from './refusals';
import type { LeasePage } from './service';
import type { Session } from './session';
import { boundsOf, within } from './waiting';

const PAGE_SIZE = 100;
const CURSOR = /^[A-Za-z0-9_-]{12,1000}$/;
const MARK_BYTES = 8;

/** See `LeaseService.page`. The client's own `list` keeps its place to itself, so the server is asked directly. */
export async function pageLeases(
  session: Session,
  filter: LeaseFilter,
  cursor: string | null,
  reach?: readonly Reach[],
): Promise<LeasePage> {
  const checked = checkFilter(filter);
  const query = buildQuery(checked, reach);
  const token = cursor === null ? new Uint8Array() : readCursor(session, query, cursor);
  const { client, namespace } = session;
  try {
    return await within(session, boundsOf(CALL_TIMEOUT_MS), async () => {
      const { executions, nextPageToken } = await client.workflowService.listWorkflowExecutions({
        namespace,
        query,
        pageSize: checked.pageSize ?? PAGE_SIZE,
        nextPageToken: token,
      });
      const leases: LeaseSummary[] = [];
      for (const raw of executions) {
        const lease = summarise(await executionInfoFromRaw(raw, client.options.loadedDataConverter, raw, namespace));
        if (matches(lease, checked)) leases.push(lease);
      }
      return { leases, next: nextPageToken.length === 0 ? null : writeCursor(session, query, nextPageToken) };
    });
  } catch (error) {
    if (cursor !== null && grpcStatusOf(error) === 'invalidArgument') throw invalid('cursor', NO_CURSOR);
    throw toLeaseError(error);
  }
}

/** With a mark of the list before it: what the server did not give, or gave for another list, fails there late and unclearly. */
function writeCursor(session: Session, query: string, token: Uint8Array): string {
  return Buffer.concat([markOf(session, query, token), token]).toString('base64url');
}

function readCursor(session: Session, query: string, cursor: string): Uint8Array {
  const bytes = CURSOR.test(cursor) ? Buffer.from(cursor, 'base64url') : Buffer.alloc(0);
  const token = bytes.subarray(MARK_BYTES);
  if (!markOf(session, query, token).equals(bytes.subarray(0, MARK_BYTES))) throw invalid('cursor', NO_CURSOR);
  return token;
}

function markOf({ deployment }: Session, query: string, token: Uint8Array): Buffer {
  const parts = [deployment, query, Buffer.from(token).toString('base64url')];
  return digestOf('leasehold cursor 1', parts).subarray(0, MARK_BYTES);
}

const NO_CURSOR = 'must be the next_cursor of a page before, of the same list';
