import {
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  sleep,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import { bulkRevokeDetails } from './bulk-details';
import { beginBulkRevoke } from './bulk-progress';
import { BULK_REVOKE_MEMO } from './contract';
import type { Block, BulkRevokeInput, BulkRevokeProgress, KeepingActivities } from './contract';
import { insist } from './insist';
import { readFailure } from './refusal';

/** Temporal's index lags: that nothing is left is believed when it was seen twice, this far apart. */
const SETTLE_MS = 5_000;
/**
 * What was planned just before the block was placed belongs to its integration, for the index, only once the plan is in history: an
 * attempt to plan takes five seconds at most, and a workflow task four.
 */
const PLANNED_WITHIN_MS = 12_000;
/**
 * What is requested so long after the block was placed is refused, however often somebody asks, by whatever clock of the server: it
 * would else keep the listings from ever being empty.
 */
const CLOCKS_MS = 10_000;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 5 * 60_000;
/** More than half a day with these pauses. Who does not react by then has been told again and again, and cannot. */
const MAX_ROUNDS = 200;

const placing = proxyActivities<KeepingActivities>({
  scheduleToCloseTimeout: '2m',
  startToCloseTimeout: '30s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s' },
  summary: 'keep more from being issued',
});

const telling = proxyActivities<KeepingActivities>({
  startToCloseTimeout: '2h',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
  summary: 'tell every lease that is meant to end',
});

/**
 * Ends all leases of a holder, project, config, dynamic secret, integration or entity: first nothing more of them is let in, then
 * they are told to end until two listings find none that is not being removed.
 */
export async function bulkRevoke(input: BulkRevokeInput): Promise<BulkRevokeProgress> {
  let progress = beginBulkRevoke(input, workflowInfo().startTime);
  const tell = (change: Partial<BulkRevokeProgress>): void => {
    progress = { ...progress, ...change };
    upsertMemo({ [BULK_REVOKE_MEMO]: progress });
    setCurrentDetails(bulkRevokeDetails(progress));
  };

  tell({});
  // What has an entity is issued already: nothing would be kept out.
  if (input.filter.entity === undefined) tell(await placeBlock(input));
  const until = progress.blockId === null ? null : new Date(Date.now() + CLOCKS_MS).toISOString();
  const settled = Date.now() + (input.filter.integration === undefined ? 0 : PLANNED_WITHIN_MS);
  let empty = 0;
  let pauseMs = FIRST_PAUSE_MS;
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const { found, signalled, removing } = await insist(() => telling.revokeMatching({ ...input, round, until }));
    tell({
      rounds: round,
      matched: progress.matched + found,
      signalled: progress.signalled + signalled,
      left: found,
      stillRemoving: removing,
    });
    empty = found === 0 ? empty + 1 : 0;
    if (empty >= 2 && Date.now() >= settled) {
      tell({ state: 'done', endedAt: new Date().toISOString() });
      return progress;
    }
    await sleep(empty > 0 ? SETTLE_MS : pauseMs, { summary: 'before it is looked for more' });
    pauseMs = empty > 0 ? FIRST_PAUSE_MS : Math.min(Math.round(pauseMs * 1.5), LONGEST_PAUSE_MS);
  }
  tell({ state: 'incomplete', endedAt: new Date().toISOString() });
  return progress;
}

async function placeBlock({ id, filter, by, reason }: BulkRevokeInput): Promise<Partial<BulkRevokeProgress>> {
  const wanted: Block = { id, filter, by, reason, at: new Date().toISOString() };
  try {
    return { blockId: (await placing.placeBlock(wanted)).id };
  } catch (error) {
    if (isCancellation(error)) throw error;
    // What there is must end all the same.
    const { message } = readFailure(error, 'The block could not be placed in time: see the workflow of the blocks.');
    return { remark: `Nothing keeps more from being issued. ${message}` };
  }
}
