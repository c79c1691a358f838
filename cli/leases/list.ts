import type { HttpLeases, LeaseFilter, LeaseSummary, SeenState } from '../../client/http';
import type { ListFlags } from '../commands/leases';
import { EXIT } from '../exit';
import { outputTo } from '../output/output';
import { print, printJson } from '../output/print';
import { tell } from '../output/tell';
import { readFilter } from './filter';
import { summaryJson } from './json';
import { leaseTable } from './rows';
import { withLeases } from './with-leases';

/** See `leasesCommand`. */
export function list(flags: ListFlags): Promise<number> {
  const { state, all, limit, json } = flags;
  const isLive = all !== true && state === undefined;
  return withLeases(flags, async (leases) => {
    const filter: LeaseFilter = {
      ...readFilter(flags),
      ...(isLive ? { live: true } : {}),
      ...(state === undefined ? {} : { state: state as SeenState }),
    };
    const found: LeaseSummary[] = [];
    for await (const lease of take(leases, filter, limit)) {
      if (json === true) await printJson(summaryJson(lease));
      else found.push(lease);
    }
    if (found.length > 0) await print(leaseTable(found, outputTo(process.stdout)));
    else if (json !== true) tell(isLive ? 'No live leases. --all lists those that have ended too.' : 'No leases.');
    return EXIT.done;
  });
}

const PAGE = 100;

/** The first so many, and no more is asked for than they need. */
export async function* take(
  leases: Pick<HttpLeases, 'list'>,
  filter: LeaseFilter,
  limit = Infinity,
): AsyncGenerator<LeaseSummary, void, undefined> {
  let left = limit;
  for await (const lease of leases.list({ ...filter, pageSize: Math.min(limit, PAGE) })) {
    yield lease;
    left -= 1;
    if (left <= 0) return;
  }
}
