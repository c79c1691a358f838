import { distributionOf, formatMs, formatRatio, median } from '../statistics';
import type { Distribution } from '../statistics';
import type { Plot } from '../plot';
import type { Table } from '../table';
import { FLOOR, LADDER, WHOLE_SHAPE } from '../floor/shape';
import type { Block } from './block';
import { NAMES } from './system';

/** What one system did at one number of callers, over all rounds. */
export interface Pooled {
  readonly system: string;
  readonly callers: number;
  readonly issue: Distribution;
  readonly issuesPerSecond: number;
  readonly end: Distribution;
  readonly endsPerSecond: number;
  /** Means over the rounds; null: not known. */
  readonly temporalCpuMs: number | null;
  readonly workerCpuMs: number | null;
}

/** Compared with Leasehold's own; the rest of the ladder has a table of its own. */
const COMPARED = [NAMES.library, NAMES.http, NAMES.openbao, FLOOR.name, NAMES.raw];

/** @throws Error if there is no such system, or nothing was measured of it. */
export function pool(blocks: readonly Block[], system: string, callers: number): Pooled {
  const own = blocks.filter((block) => block.system === system && block.callers === callers);
  const rate = (of: 'issue' | 'end'): number => {
    const count = own.reduce((sum, block) => sum + block[of].durations.length, 0);
    return (count / own.reduce((sum, block) => sum + block[of].wholeMs, 0)) * 1_000;
  };
  const cpu = (of: 'temporal' | 'worker'): number | null => {
    const known = own.map(({ cpuMs }) => cpuMs[of]).filter((ms) => ms !== null);
    return known.length === 0 ? null : known.reduce((sum, ms) => sum + ms, 0) / known.length;
  };
  return {
    system,
    callers,
    issue: distributionOf(own.flatMap(({ issue }) => issue.durations)),
    issuesPerSecond: rate('issue'),
    end: distributionOf(own.flatMap(({ end }) => end.durations)),
    endsPerSecond: rate('end'),
    temporalCpuMs: cpu('temporal'),
    workerCpuMs: cpu('worker'),
  };
}

/** The ratios of the single rounds. What disturbs the machine for a while disturbs both sides of some of them, and not the median. */
export interface Compared {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/** @param ratioOf of the blocks of one round. */
export function overRounds(blocks: readonly Block[], ratioOf: (blocks: readonly Block[]) => number): Compared {
  const rounds = [...new Set(blocks.map(({ round }) => round))];
  const single = rounds.map((round) => ratioOf(blocks.filter((block) => block.round === round)));
  return { median: median(single), lowest: Math.min(...single), highest: Math.max(...single) };
}

/**
 * What a lease takes beyond its provider calls, as a multiple of the floor at the same number of callers. What is taken off is what the
 * provider takes of one caller alone: the raw calls of many have a connection each and wait for one another at PostgreSQL, as those of
 * leases, over a few connections, do not.
 */
export function overheadRatio(
  blocks: readonly Block[],
  callers: number,
  system: string,
  of: 'issue' | 'end',
  floor = FLOOR.name,
): number {
  const p50 = (name: string, at = callers): number => pool(blocks, name, at)[of].p50;
  return (p50(system) - p50(NAMES.raw, 1)) / p50(floor);
}

export function rateRatio(
  blocks: readonly Block[],
  callers: number,
  [system, other]: readonly [string, string],
  of: 'issuesPerSecond' | 'endsPerSecond',
): number {
  return pool(blocks, system, callers)[of] / pool(blocks, other, callers)[of];
}

export function compareTables(blocks: readonly Block[], callers: readonly number[]): readonly Table[] {
  return [
    issueTable(blocks, callers),
    targetTable(blocks, callers),
    endTable(blocks, callers),
    ...callers.map((each) => ladderTable(blocks, each)),
  ];
}

function issueTable(blocks: readonly Block[], callers: readonly number[]): Table {
  return {
    title: 'Issuing: latency and rate',
    head: ['Callers', 'System', 'Issues', 'p50', 'p95', 'p99', 'Issues/s', 'p50 to OpenBao', 'Issues/s to OpenBao'],
    rows: callers.flatMap((each) => {
      const peer = pool(blocks, NAMES.openbao, each);
      return COMPARED.map((name) => {
        const { issue, issuesPerSecond } = pool(blocks, name, each);
        return [
          ...[String(each), name, String(issue.count)],
          ...[issue.p50, issue.p95, issue.p99].map(formatMs),
          issuesPerSecond.toFixed(1),
          formatRatio(issue.p50, peer.issue.p50),
          formatRatio(issuesPerSecond, peer.issuesPerSecond),
        ];
      });
    }),
  };
}

function targetTable(blocks: readonly Block[], callers: readonly number[]): Table {
  const told = ({ median: middle, lowest, highest }: Compared): string =>
    `${middle.toFixed(2)} (${lowest.toFixed(2)} to ${highest.toFixed(2)})`;
  return {
    title: 'Against the floor: the median of the rounds, their lowest and their highest',
    head: [
      'Callers',
      'System',
      '(p50 - raw at one caller) / floor',
      'Issues/s / floor',
      'End: (p50 - raw at one caller) / floor',
      'Ends/s / floor',
    ],
    rows: callers.flatMap((each) =>
      [NAMES.library, NAMES.http].map((name) => [
        String(each),
        name,
        told(overRounds(blocks, (some) => overheadRatio(some, each, name, 'issue'))),
        told(overRounds(blocks, (some) => rateRatio(some, each, [name, FLOOR.name], 'issuesPerSecond'))),
        told(overRounds(blocks, (some) => overheadRatio(some, each, name, 'end'))),
        told(overRounds(blocks, (some) => rateRatio(some, each, [name, FLOOR.name], 'endsPerSecond'))),
      ]),
    ),
  };
}

function endTable(blocks: readonly Block[], callers: readonly number[]): Table {
  return {
    title: 'Revoking, and waiting until it is gone',
    head: ['Callers', 'System', 'Ends', 'p50', 'p95', 'p99', 'Ends/s', 'p50 to OpenBao', 'Ends/s to OpenBao'],
    rows: callers.flatMap((each) => {
      const peer = pool(blocks, NAMES.openbao, each);
      return COMPARED.map((name) => {
        const { end, endsPerSecond } = pool(blocks, name, each);
        return [
          ...[String(each), name, String(end.count)],
          ...[end.p50, end.p95, end.p99].map(formatMs),
          endsPerSecond.toFixed(1),
          formatRatio(end.p50, peer.end.p50),
          formatRatio(endsPerSecond, peer.endsPerSecond),
        ];
      });
    }),
  };
}

/** What each part of a lease costs: every row does what those above it do. */
function ladderTable(blocks: readonly Block[], callers: number): Table {
  const names = [...LADDER.map(({ name }) => name), NAMES.raw, NAMES.library, NAMES.http];
  const cpu = (ms: number | null): string => (ms === null ? '-' : formatMs(ms));
  const rows = names.map((name) => pool(blocks, name, callers));
  const p50 = new Map(rows.map(({ system, issue }) => [system, issue.p50]));
  const beyond = (name: string): string => {
    const before = LADDER[LADDER.findIndex((variant) => variant.name === name) - 1];
    if (before === undefined || name === FLOOR.name) return '-';
    return formatMs((p50.get(name) ?? Number.NaN) - (p50.get(before.name) ?? Number.NaN));
  };
  return {
    title: `What each part costs, at ${callers} ${callers === 1 ? 'caller' : 'callers'}: each "+" does what those above it do`,
    head: [
      'Variant',
      'p50',
      'More than above',
      'Issues/s',
      'Temporal CPU/issue',
      'Worker CPU/issue',
      'End p50',
      'Ends/s',
    ],
    rows: rows.map(({ system, issue, issuesPerSecond, temporalCpuMs, workerCpuMs, end, endsPerSecond }) => [
      system,
      formatMs(issue.p50),
      beyond(system),
      issuesPerSecond.toFixed(1),
      cpu(temporalCpuMs),
      cpu(workerCpuMs),
      formatMs(end.p50),
      endsPerSecond.toFixed(1),
    ]),
  };
}

export function comparePlots(blocks: readonly Block[], callers: readonly number[]): readonly Plot[] {
  const series = (of: (pooled: Pooled) => number) =>
    COMPARED.map((name) => ({
      name,
      points: callers.map((each) => [each, of(pool(blocks, name, each))] as const),
    }));
  const x = { label: 'concurrent callers', logarithmic: true };
  return [
    {
      name: 'issue-latency',
      title: 'Issuing: median latency',
      x,
      y: { label: 'milliseconds', logarithmic: true },
      series: series(({ issue }) => issue.p50),
    },
    {
      name: 'issue-rate',
      title: 'Issuing: rate',
      x,
      y: { label: 'issues a second' },
      series: series(({ issuesPerSecond }) => issuesPerSecond),
    },
  ];
}

/** What the figures of the ladder say in one sentence each. */
export function compareNotes(blocks: readonly Block[]): readonly string[] {
  const library = pool(blocks, NAMES.library, 1).issue.p50;
  const raw = pool(blocks, NAMES.raw, 1).issue.p50;
  const whole = pool(blocks, WHOLE_SHAPE.name, 1).issue.p50;
  const floor = pool(blocks, FLOOR.name, 1).issue.p50;
  return [
    `One issue at a time takes ${formatMs(library)}: ${formatMs(raw)} are the provider's, ${formatMs(floor)} the floor, and ${formatMs(whole - floor)} what a lease does beside an activity; the rest, ${formatMs(library - raw - whole)}, is sealing, opening and what the parts have in each other's way.`,
    `The median of OpenBao's issues, one at a time, is ${formatMs(pool(blocks, NAMES.openbao, 1).issue.p50)}.`,
  ];
}

/** The medians of columns. */
export function medians(rows: readonly (readonly number[])[]): readonly number[] {
  return (rows[0] ?? []).map((_, column) => median(rows.map((row) => row[column] ?? Number.NaN)));
}
