import type { BulkRevocation } from '../../client/http';
import type { ShowFlags } from '../commands/leases';
import { EXIT } from '../exit';
import { details } from '../output/details';
import { outputTo } from '../output/output';
import { print, printJson } from '../output/print';
import { relative } from '../output/relative';
import { table } from '../output/table';
import { tell } from '../output/tell';
import { describeFilter } from './filter';
import { bulkJson } from './json';
import { withLeases } from './with-leases';

/** See `leasesCommand`. */
export function revocations(id: string | undefined, flags: ShowFlags): Promise<number> {
  return withLeases(flags, async (leases) => {
    const found = id === undefined ? await leases.revocations() : [await leases.revocation(id)];
    if (flags.json === true) for (const each of found) await printJson(bulkJson(each));
    else if (found[0] === undefined) tell('There is no revocation of many leases.');
    else await print(id === undefined ? listOf(found) : describe(found[0]));
    return EXIT.done;
  });
}

function listOf(found: readonly BulkRevocation[]): string {
  const rows = found.map(({ id, state, filter, by, requestedAt, left }) => [
    id,
    state,
    describeFilter(filter),
    by,
    relative(requestedAt),
    String(left),
  ]);
  const columns = [{ title: 'REVOCATION', whole: true }, 'STATE', 'OF', 'BY', 'BEGUN', { title: 'LEFT', right: true }];
  return table(columns, rows, outputTo(process.stdout));
}

function describe(revocation: BulkRevocation): string {
  const { id, state, filter, by, reason, requestedAt, endedAt, blockId, remark } = revocation;
  const { style } = outputTo(process.stdout);
  const sides: readonly (readonly [string, string | null])[] = [
    ['Revocation', id],
    ['State', state],
    ['Of', describeFilter(filter)],
    ['By', by],
    ['Reason', reason],
    ['Begun', `${relative(requestedAt)} (${requestedAt.toISOString()})`],
    ['Ended', endedAt === null ? null : `${relative(endedAt)} (${endedAt.toISOString()})`],
    ['Block', blockId],
    ['Remark', remark],
    ['Told', String(revocation.signalled)],
    ['Left', String(revocation.left)],
    ['Being removed', String(revocation.stillRemoving)],
  ];
  return details(
    sides.filter((side): side is readonly [string, string] => side[1] !== null),
    { style },
  );
}
