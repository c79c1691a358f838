import { flatnessOf, shortcomingsOf, soakNotes, soakPlots, soakTables } from '../../../bench/soak-report';
import type { Sample } from '../../../bench/soak-samples';
import { toMarkdown } from '../../../bench/table';

/** One every 6 minutes of an hour. */
const samples: readonly Sample[] = Array.from({ length: 11 }, (_, index) => ({
  atMs: index * 360_000,
  usages: {
    worker: { residentMb: index === 0 ? 100 : 200 + index, cpuSeconds: index * 36, handles: 30 + index },
    api: { residentMb: null, cpuSeconds: null, handles: null },
  },
}));

test('the slope is that of the second half, in an hour, and handles are compared with those of a warm process', () => {
  const [worker, api] = flatnessOf(samples);
  expect(worker).toMatchObject({
    process: 'worker',
    warmMb: 201,
    halfMb: 205,
    lastMb: 210,
    warmHandles: 31,
    lastHandles: 40,
  });
  expect(worker?.mbPerHour).toBeCloseTo(10);
  expect(worker?.cpuPercent).toBeCloseTo(10);
  expect(api).toMatchObject({ process: 'api', warmMb: null, mbPerHour: null, cpuPercent: null });
});

test('what the system does not tell is a dash in the table and missing in the plots', () => {
  const deeds = { ...DONE, issues: { library: [10, 20], http: [] } };
  const [flat, done] = soakTables(samples, deeds).map(toMarkdown);
  expect(flat).toMatch(/\| worker +\| +201 MB \| +205 MB \| +210 MB \| +10\.0 MB\/h \| +31 \| +40 \| +10 % \|/);
  expect(flat).toMatch(/\| api +\| +– /);
  expect(done).toMatch(/\| issued through the library +\| +2 \| +10\.0 ms \| +20\.0 ms /);
  expect(done).toMatch(/\| issued through HTTP +\| +0 \| +– /);
  expect(soakPlots(samples).map(({ name, series }) => [name, series.map((each) => each.name)])).toEqual([
    ['soak-memory', ['worker']],
    ['soak-handles', ['worker']],
  ]);
});

const DONE = {
  begun: 600,
  issues: { library: [10], http: [20] },
  extended: 1,
  revoked: 1,
  leftToExpire: 1,
  failures: [],
};

test('it is told how many leases were begun, beside how many were to be', () => {
  expect(soakNotes(DONE, 60_000, 12)).toEqual([
    '600 leases were begun in 1.0 min, 10.0 a second of 12 that were to be.',
  ]);
});

test('a soak in which all was done lacks nothing', () => {
  expect(shortcomingsOf(DONE)).toEqual([]);
});

test('calls that failed, each sentence once, and deeds that were never done are shortcomings', () => {
  expect(shortcomingsOf({ ...DONE, failures: ['too late', 'too late', 'refused'] })).toEqual([
    '3 calls failed: too late / refused',
  ]);
  expect(shortcomingsOf({ ...DONE, issues: { library: [10], http: [] }, extended: 0 })).toEqual([
    'No lease was issued through HTTP.',
    'No lease was extended.',
  ]);
});
