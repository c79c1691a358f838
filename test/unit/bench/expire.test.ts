import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { coresOf, onCores, parseCoreList } from '../../../bench/expire/cores';
import { highestRate } from '../../../bench/expire/rates';
import { coresTable, endsPerSecond, lagTable, latencyTable, limitOf, livePlot } from '../../../bench/expire/report';
import { sumOfTree } from '../../../bench/expire/tree-cpu';
import { nextLook } from '../../../bench/expire/watch';
import { lagsOf } from '../../../bench/expire/wave';
import type { Wave } from '../../../bench/expire/wave';

const WAVE: Wave = {
  party: 'Leasehold',
  total: 4,
  cores: 4,
  issuedPerSecond: 50,
  spreadMs: 900,
  lags: [100, 200, 300, 400],
  gone: 4,
  wholeMs: 2_000,
  live: [
    [-3, 4],
    [0, 4],
    [2, 0],
  ],
  connections: 7,
  transactionsPerSecond: null,
  latencies: { issue: { before: [10, 10], during: [30] } },
  cpuSeconds: { temporal: 1.8, worker: 1, api: null, 'whole machine': 3 },
  shortcomings: [],
  left: 0,
};
const OTHER: Wave = { ...WAVE, party: 'OpenBao', lags: [50, 100, 150, 200], wholeMs: 4_000, issuedPerSecond: 200 };

describe('the highest rate', () => {
  test('is the one between counts that are far enough apart', () => {
    const counts = [
      { at: 0, n: 0 },
      { at: 500, n: 400 },
      { at: 1_000, n: 500 },
      { at: 2_000, n: 600 },
    ];
    expect(highestRate(counts, 1_000)).toBe(500);
    expect(highestRate(counts, 2_000)).toBe(300);
  });

  test('is not told of a shorter time', () => {
    expect(
      highestRate(
        [
          { at: 0, n: 0 },
          { at: 999, n: 5 },
        ],
        1_000,
      ),
    ).toBeNull();
    expect(highestRate([], 1_000)).toBeNull();
  });
});

describe('the next look', () => {
  test('is just before the first expiry where the pause would pass it', () => {
    expect(nextLook(1_000, 250, 1_200)).toBe(1_140);
  });

  test('is after the pause everywhere else', () => {
    expect(nextLook(1_000, 250, 9_000)).toBe(1_250);
    expect(nextLook(1_141, 250, 1_200)).toBe(1_391);
    expect(nextLook(5_000, 250, 1_200)).toBe(5_250);
  });
});

describe('the CPU of a program', () => {
  test('is that of all that it started, whatever process group it is in, and of what has ended', () => {
    const processes = [
      { pid: 7, parent: 1, cpuSeconds: 0.5, endedChildrenCpuSeconds: 0 },
      { pid: 42, parent: 7, cpuSeconds: 1.5, endedChildrenCpuSeconds: 0.5 },
      { pid: 43, parent: 42, cpuSeconds: 1, endedChildrenCpuSeconds: 0 },
      { pid: 99, parent: 1, cpuSeconds: 100, endedChildrenCpuSeconds: 0 },
    ];
    expect(sumOfTree(processes, 7)).toBe(3.5);
  });

  test('of one that has ended cannot be told', () => {
    expect(() => sumOfTree([], 7)).toThrow('Process 7 has ended.');
  });
});

describe('the cores of a program', () => {
  test('are read as the kernel lists them', () => {
    expect(parseCoreList('0-2,8')).toEqual([0, 1, 2, 8]);
    expect(parseCoreList('3')).toEqual([3]);
  });

  (process.platform === 'linux' && availableParallelism() > 1 ? test : test.skip)(
    'are one for a while, for its children too, and then as many as before',
    async () => {
      const had = availableParallelism();
      const child = spawn('sleep', ['60']);
      const coresOfChild = (): Promise<readonly number[]> => coresOf(`/proc/${child.pid}/status`);
      try {
        const before = await coresOfChild();
        const seen = await onCores(1, async () => [availableParallelism(), await coresOfChild()]);
        expect(seen).toEqual([1, [expect.any(Number)]]);
        expect([availableParallelism(), await coresOfChild()]).toEqual([had, before]);
      } finally {
        child.kill('SIGKILL');
      }
    },
  );
});

describe('the report of waves', () => {
  test('gives the ratio of Leasehold to OpenBao, by the medians of the waves', () => {
    const { head, rows } = lagTable('waves', [WAVE, OTHER, OTHER, WAVE]);
    expect(rows).toHaveLength(5);
    expect(rows.every((row) => row.length === head.length)).toBe(true);
    expect(rows[4]).toEqual([
      'Leasehold / OpenBao (medians)',
      ...['2.00 x', '2.00 x', '2.00 x', '2.00 x', '0.50 x', '', '2.00 x', '0.25 x'],
    ]);
  });

  test('gives no ratio of one party alone', () => {
    expect(lagTable('wave', [WAVE]).rows).toHaveLength(1);
  });

  test('tells what more cores gain, by the medians of the waves', () => {
    const confined = [WAVE, OTHER].map((wave) => ({ ...wave, cores: 1, wholeMs: 6_000 }));
    const { head, rows } = coresTable(confined, [WAVE, OTHER, OTHER, WAVE]);
    expect(head).toEqual([
      '',
      ...['1 core: last gone after', '4 cores: last gone after', '1 core: ends/s', '4 cores: ends/s', 'gain'],
    ]);
    expect(rows).toEqual([
      ['Leasehold', '6000 ms', '2000 ms', '0.67', '2.00', '3.00 x'],
      ['OpenBao', '6000 ms', '4000 ms', '0.67', '1.00', '1.50 x'],
    ]);
  });

  test('tells how much slower the API became', () => {
    const { head, rows } = latencyTable([WAVE]);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toHaveLength(head.length);
    expect(rows[0]?.at(-1)).toBe('3.00 x');
  });

  test('names the process that was the limit', () => {
    expect(limitOf({ ...WAVE, cores: 1 })).toContain(
      'the machine was full, and temporal took most of what was measured',
    );
    expect(limitOf({ ...WAVE, cores: 1 })).not.toContain('Something else');
    expect(limitOf(WAVE)).toContain('temporal took about one core while others were free');
    expect(limitOf({ ...WAVE, wholeMs: 20_000 })).toContain('cores were free');
    expect(limitOf({ ...WAVE, cpuSeconds: { temporal: null, 'whole machine': 3 } })).toBeNull();
  });

  test('tells when the machine had something else to do', () => {
    const disturbed = { ...WAVE, cpuSeconds: { ...WAVE.cpuSeconds, 'whole machine': 5 } };
    expect(limitOf(disturbed)).toContain('Something else took 1.10 cores');
  });

  test('plots each wave by its party and number, from the first expiry on', () => {
    const { series } = livePlot('expire', 'waves', [WAVE, OTHER, WAVE]);
    expect(series.map(({ name }) => name)).toEqual(['Leasehold 1', 'OpenBao 1', 'Leasehold 2']);
    expect(series[0]?.points).toEqual([
      [0, 4],
      [2, 0],
    ]);
  });
});

describe('how long a credential outlives its expiry', () => {
  const credential = (role: string) => ({ id: role, role, password: '', notBefore: 1_000, expiresAt: 1_000 });

  test('is told from its expiry until it was seen to be gone, and until the last look if it was not', () => {
    const looks = [
      { at: 900, left: 2, usable: 2 },
      { at: 5_000, left: 1, usable: 0 },
    ];
    expect(lagsOf([credential('a'), credential('b')], { goneAt: new Map([['a', 1_300]]), looks })).toEqual([
      300, 4_000,
    ]);
  });

  test('is not told where nobody has looked', () => {
    expect(() => lagsOf([credential('a')], { goneAt: new Map(), looks: [] })).toThrow('Nobody has looked.');
  });
});

test('the rate of ends is of those that ended', () => {
  expect(endsPerSecond({ gone: 3, wholeMs: 2_000 })).toBe(1.5);
});
