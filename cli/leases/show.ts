import type { LeaseReport } from '../../client/http';
import type { ShowFlags } from '../commands/leases';
import { EXIT } from '../exit';
import { details } from '../output/details';
import { outputTo } from '../output/output';
import { print, printJson } from '../output/print';
import { relative } from '../output/relative';
import { reportJson } from './json';
import { paintOf } from './rows';
import { withLeases } from './with-leases';

/** See `leasesCommand`. */
export function show(leaseId: string, flags: ShowFlags): Promise<number> {
  return withLeases(flags, async (leases) => {
    const lease = await leases.get(leaseId);
    await (flags.json === true ? printJson(reportJson(lease)) : print(describe(lease)));
    return EXIT.done;
  });
}

function describe(lease: LeaseReport): string {
  const { style } = outputTo(process.stdout);
  const { failure } = lease;
  const sides: readonly (readonly [string, string | null])[] = [
    ['Dynamic secret', `${lease.project}/${lease.config}/${lease.dynamicSecret}`],
    ['Integration', lease.integration],
    ['Entity', lease.entity],
    ['Holder', lease.holder],
    ['Requested', instant(lease.requestedAt)],
    [lease.endedAt === null ? 'Ends' : 'Was to end', instant(lease.expiresAt)],
    ['Ended', instant(lease.endedAt)],
    ['Ended by', lease.endedBy],
    ['Reason', lease.reason],
    ['Failure', failure === null ? null : `${failure.type}: ${failure.message}`],
  ];
  return details(
    [
      ['Lease', lease.leaseId],
      ['State', { text: lease.state, paint: paintOf(lease.state, style) }],
      ...sides.filter((side): side is readonly [string, string] => side[1] !== null),
    ],
    { style },
  );
}

function instant(date: Date | null): string | null {
  return date === null ? null : `${relative(date)} (${date.toISOString()})`;
}
