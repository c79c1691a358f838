import type { Block, BulkRevokeProgress } from './contract';
import { describeFilter } from './filter';
import { cell } from './view';

/** So many blocks are listed for people; the memo has them all. */
const LISTED = 20;

/** What an operator reads on the page of the blocks in the Temporal Web UI. */
export function blocksDetails(blocks: readonly Block[]): string {
  const rows = blocks
    .slice(-LISTED)
    .map(
      ({ id, filter, by, reason, at }) =>
        `| ${id} | ${cell(describeFilter(filter))} | ${cell(by)} | ${cell(reason)} | ${at} |`,
    );
  return [
    `**${blocks.length}** ${blocks.length === 1 ? 'block keeps' : 'blocks keep'} leases from being issued.`,
    '',
    '| Block | Refuses | By | Reason | Since |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    'An admin lifts them over HTTP: `DELETE /v1/blocks/<block>`. Terminating this workflow lifts none.',
  ].join('\n');
}

/** What an operator reads on the page of a bulk revoke in the Temporal Web UI. */
export function bulkRevokeDetails(progress: BulkRevokeProgress): string {
  const { state, filter, by, reason, blockId, remark, rounds, signalled, left, stillRemoving } = progress;
  const rows: [string, string | null][] = [
    ['State', `**${state}**`],
    ['Means', cell(describeFilter(filter))],
    ['By', cell(by)],
    ['Reason', cell(reason)],
    ['Block', blockId],
    ['Listings', String(rounds)],
    ['Leases told to end', String(signalled)],
    ['Found by the last listing', String(left)],
    ['Still being removed', String(stillRemoving)],
    ['Remark', remark],
  ];
  const table = rows.filter((row) => row[1] !== null).map(([name, value]) => `| ${name} | ${String(value)} |`);
  return ['| Bulk revoke | |', '| --- | --- |', ...table].join('\n');
}
