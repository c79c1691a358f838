import { bytesPerLease, bytesPerMore, restartNotes, restartPlots, restartTables } from '../../../bench/restart-report';
import type { Back, Round } from '../../../bench/restart-round';
import { toMarkdown } from '../../../bench/table';

const MB = 1_024 * 1_024;

function backOf(workerMb: number): Back {
  return {
    readyMs: { temporal: 900, worker: 1_800, api: 1_200 },
    firstIssueMs: 250,
    firstIssueTries: 1,
    overdue: 20,
    overdueMedianMs: -300,
    overdueLastMs: 700,
    restartedMb: { temporal: 200, worker: workerMb - 20, api: 80 },
    further: 200,
    furtherMb: { temporal: 220, worker: workerMb, api: 85 },
    histories: {
      sleeping: [{ events: 19, writes: 7, bytes: 4_000 }],
      expired: [{ events: 35, writes: 14, bytes: 6_000 }],
      revoked: [
        { events: 36, writes: 15, bytes: 6_100 },
        { events: 38, writes: 17, bytes: 6_300 },
      ],
    },
  };
}

function own(leases: number, workerMb: number): Round {
  const rest = (residentMb: number) => ({ residentMb, cpuPercent: 1.25 });
  return {
    who: 'Leasehold',
    leases,
    issuedPerSecond: 48.2,
    failedIssues: [],
    rest: { temporal: rest(300), worker: rest(workerMb), api: rest(90) },
    storageBytes: 2 * MB + leases * 8_192,
    begun: leases,
    sweepMs: leases * 1.5,
    sweptMb: { temporal: 310, worker: workerMb + 5, api: 90 },
    back: backOf(workerMb),
  };
}

const other: Round = {
  ...own(1_000, 0),
  who: 'OpenBao',
  rest: { openbao: { residentMb: null, cpuPercent: null } },
  issuedPerSecond: null,
  sweepMs: null,
  sweptMb: { openbao: null },
  back: {
    ...backOf(0),
    readyMs: { openbao: 700 },
    firstIssueTries: 3,
    restartedMb: { openbao: null },
    furtherMb: { openbao: null },
    histories: null,
  },
};
const rounds = [own(1_000, 180), other, own(50_000, 190)];
const empty = { Leasehold: 2 * MB, OpenBao: MB };

test('storage counts from that of an empty system, for each lease that was begun', () => {
  expect(bytesPerLease(own(1_000, 180), empty)).toBe(8_192);
  expect(bytesPerLease({ ...own(1_000, 180), begun: 2_000 }, empty)).toBe(4_096);
});

test('what one more lease takes is the increment since the round before, whatever an empty system takes', () => {
  const [before, after] = [own(1_000, 180), { ...own(3_000, 180), storageBytes: 10 * MB + 2_000 * 4_096 }];
  expect(bytesPerMore(after, { ...before, storageBytes: 10 * MB })).toBe(4_096);
  expect(bytesPerMore(before, undefined)).toBeNull();
  expect(bytesPerMore(before, before)).toBeNull();
});

test('every round has its rows', () => {
  const [rest, storage, history, back, memory, sweep] = restartTables(rounds, empty).map(toMarkdown);
  expect(rest).toMatch(/\| worker +\| +50,000 \| +190 MB \| +1\.3 % \| +48 a second \| +0 \|/);
  expect(rest).toMatch(/\| openbao +\| +1,000 \| +– \| +– \| +– \| +0 \|/);
  expect(storage).toMatch(/\| Leasehold +\| +50,000 \| +50,000 \| +393 MB \| +2\.00 MB \| +8\.00 KB \| +8\.00 KB \|/);
  expect(storage).toMatch(/\| Leasehold +\| +1,000 \| .* 8\.00 KB \| +– \|/);
  expect(history).toMatch(/\| revoked +\| +1,000 \| +2 \| +37\.0 \| +38 \| +16.0 \| +17 \| +6,200 \| +6,300 \|/);
  expect(back).toMatch(
    /temporal 900 ms, worker 1800 ms, api 1200 ms \| +250 ms \| +once \| +20 \| +-300 ms \| +700 ms \|/,
  );
  expect(memory).toMatch(/\| worker +\| +1,000 \| +180 MB \| +185 MB \| +160 MB \| +180 MB \| +200 \|/);
  expect(sweep).toMatch(/\| 1,000 +\| +1500 ms \| +1.50 ms \|/);
});

test('a round after which a system did not come back has what was measured before', () => {
  const broken = [own(1_000, 180), { ...own(50_000, 190), back: null }];
  const [rest, , history, back, memory] = restartTables(broken, empty).map(toMarkdown);
  expect(rest).toMatch(/\| worker +\| +50,000 \| +190 MB /);
  expect(memory).toMatch(/\| worker +\| +50,000 \| +190 MB \| +195 MB \| +– \| +– \| +– \|/);
  for (const table of [history, back]) expect(table).not.toContain('50,000');
  expect(restartNotes(broken).join()).toContain('Worker at rest: 180 MB');
  expect(restartPlots(broken, empty)[0]?.series.find(({ name }) => name === 'worker, restarted')?.points).toEqual([
    [1_000, 160],
  ]);
});

test('issues that failed and were made again are told', () => {
  expect(restartNotes([{ ...other, failedIssues: ['sealed', 'sealed'] }, own(1_000, 180)]).at(-1)).toBe(
    'OpenBao, 1,000 leases: 2 issues failed and were made again: sealed',
  );
});

test('the plots have a line for each process at rest and restarted, and one for the storage of each system', () => {
  const [memory, storage] = restartPlots(rounds, empty);
  expect(memory?.series.map(({ name }) => name)).toEqual([
    'temporal, at rest',
    'temporal, restarted',
    'worker, at rest',
    'worker, restarted',
    'api, at rest',
    'api, restarted',
  ]);
  expect(memory?.series[2]?.points).toEqual([
    [1_000, 180],
    [50_000, 190],
  ]);
  expect(storage?.series.map(({ name }) => name)).toEqual(['Leasehold', 'OpenBao']);
});

test('it is said whether the memory of a worker grows with the leases that sleep', () => {
  expect(restartNotes(rounds)).toEqual([
    'Worker at rest: 180 MB with 1,000 sleeping leases, 190 MB with 50,000.',
    'Worker after the restart: 160 MB with 1,000 sleeping leases, 170 MB with 50,000.',
    'The first issue through the API came at most 250 ms after all processes were ready.',
  ]);
  expect(restartNotes([])).toEqual([]);
});
