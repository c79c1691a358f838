import { take } from '../../../../cli/leases/list';
import type { LeaseFilter, LeaseSummary } from '../../../../client/http';

/** Leases of which so many exist. */
function leasesOf(count: number): {
  list: (filter?: LeaseFilter) => AsyncIterable<LeaseSummary>;
  asked: LeaseFilter[];
  yielded: () => number;
} {
  const asked: LeaseFilter[] = [];
  let yielded = 0;
  return {
    asked,
    yielded: () => yielded,
    list: (filter = {}) => {
      asked.push(filter);
      return (async function* () {
        for (; yielded < count;) {
          yielded += 1;
          yield { leaseId: String(yielded) } as LeaseSummary;
        }
      })();
    },
  };
}

async function idsOf(leases: AsyncIterable<LeaseSummary>): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { leaseId } of leases) ids.push(leaseId);
  return ids;
}

test('all are taken, a hundred at once, however many there are', async () => {
  const leases = leasesOf(2_345);
  expect(await idsOf(take(leases, { live: true }))).toHaveLength(2_345);
  expect(leases.asked).toEqual([{ live: true, pageSize: 100 }]);
});

test.each([
  [3, 3],
  [250, 100],
])('of a limit of %i no more are asked for than it needs', async (limit, pageSize) => {
  const leases = leasesOf(1_000);
  expect(await idsOf(take(leases, {}, limit))).toHaveLength(limit);
  expect(leases.asked).toEqual([{ pageSize }]);
  expect(leases.yielded()).toBe(limit);
});
