import { Context } from '@temporalio/activity';
import { summarise } from '../../temporal/lease-summary';
import { buildQuery, matches } from '../../temporal/query';
import type { LeaseQuery } from '../../temporal/query';
import type { RevokeRound, RevokeRoundInput, RoundProgress } from '../../workflows/contract';
import { plainly } from '../failures';
import type { BulkDeps } from './bulk';
import { tellAll } from './tell';
import type { Told } from './tell';

const HEARTBEAT_EVERY_MS = 2_000;
const LIST_TIMEOUT_MS = 5 * 60_000;
const PAGE = 1_000;
/** Temporal takes no more for one batch operation. */
const BATCH = 1_000;

/**
 * Lists the leases that are meant and not being removed yet, and tells each of them to end. Each is compared with the filter to
 * the letter before it is told, and told by its own run, so that nobody else's is.
 */
export async function revokeMatching(deps: BulkDeps, input: RevokeRoundInput): Promise<RevokeRound> {
  const context = Context.current();
  // An attempt that was cut off has told some already.
  const progress = { found: 0, signalled: 0, ...(context.info.heartbeatDetails as Partial<RoundProgress> | undefined) };
  const heartbeat = setInterval(() => {
    context.heartbeat(progress);
  }, HEARTBEAT_EVERY_MS);
  try {
    return await plainly(async () => {
      const leases = await list(deps, input, 'provisioning', 'active');
      progress.found = Math.max(progress.found, leases.length);
      for (let begin = 0; begin < leases.length; begin += BATCH) {
        await tellAll(deps, {
          // The same at a repeat of this attempt, which then waits for the batch that runs instead of beginning another.
          jobId: `bulk-revoke/${input.id}/${String(input.round)}/${String(begin / BATCH)}`,
          leases: leases.slice(begin, begin + BATCH),
          by: input.by,
          reason: input.reason,
          signal: context.cancellationSignal,
          onProgress: (count) => {
            progress.signalled = Math.max(progress.signalled, begin + count);
          },
        });
      }
      const removing = await list(deps, input, 'deprovisioning', 'stuck');
      return { ...progress, removing: removing.length };
    });
  } finally {
    clearInterval(heartbeat);
  }
}

function list(
  { client }: BulkDeps,
  { filter, until }: RevokeRoundInput,
  ...state: ('provisioning' | 'active' | 'deprovisioning' | 'stuck')[]
): Promise<readonly Told[]> {
  const query: LeaseQuery = { ...filter, state };
  const clauses = [buildQuery(query), ...(until === null ? [] : [`StartTime <= "${until}"`])];
  return client.withDeadline(Date.now() + LIST_TIMEOUT_MS, async () => {
    const found: Told[] = [];
    for await (const info of client.workflow.list({ query: clauses.join(' AND '), pageSize: PAGE })) {
      if (matches(summarise(info), query)) found.push({ workflowId: info.workflowId, runId: info.runId });
    }
    return found;
  });
}
