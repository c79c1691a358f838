import type { Plot } from './plot';
import { reasonsOf } from './missing';
import { formatCount } from './progress';
import type { HistorySize } from './restart-temporal';
import type { Back, Histories, Round } from './restart-round';
import { formatMs } from './statistics';
import type { Table } from './table';

const UNKNOWN = '–';
const MB = 1_024 * 1_024;
const KB = 1_024;

/** Bytes of each system's storage before it had a lease. */
export type Empty = Readonly<Record<string, number>>;

export function restartTables(rounds: readonly Round[], empty: Empty): readonly Table[] {
  return [
    restTable(rounds),
    storageTable(rounds, empty),
    historyTable(rounds),
    backTable(rounds),
    memoryTable(rounds),
    sweepTable(rounds),
  ];
}

function restTable(rounds: readonly Round[]): Table {
  return {
    title: 'At rest, with sleeping leases',
    head: ['process', 'leases', 'resident', 'CPU of a core', 'issued before', 'issues made again'],
    rows: rounds.flatMap((round) =>
      Object.entries(round.rest).map(([program, { residentMb, cpuPercent }]) => [
        program,
        formatCount(round.leases),
        formatMb(residentMb),
        cpuPercent === null ? UNKNOWN : `${cpuPercent.toFixed(1)} %`,
        round.issuedPerSecond === null ? UNKNOWN : `${round.issuedPerSecond.toFixed(0)} a second`,
        String(round.failedIssues.length),
      ]),
    ),
  };
}

function storageTable(rounds: readonly Round[], empty: Empty): Table {
  return {
    title: 'Storage',
    head: [
      'system',
      'leases asleep',
      'leases begun',
      'on disk',
      'without a lease',
      'for each lease begun',
      'for each more than in the round before',
    ],
    rows: rounds.map((round, index) => {
      const more = bytesPerMore(
        round,
        rounds.slice(0, index).findLast(({ who }) => who === round.who),
      );
      return [
        round.who,
        formatCount(round.leases),
        formatCount(round.begun),
        formatMb(round.storageBytes / MB),
        formatMb((empty[round.who] ?? 0) / MB),
        formatKb(bytesPerLease(round, empty)),
        more === null ? UNKNOWN : formatKb(more),
      ];
    }),
  };
}

export function bytesPerLease({ who, storageBytes, begun }: Round, empty: Empty): number {
  return (storageBytes - (empty[who] ?? 0)) / begun;
}

/** What a lease takes that was begun since the round before; null without one, or if none was begun. */
export function bytesPerMore(
  { storageBytes, begun }: Pick<Round, 'storageBytes' | 'begun'>,
  before: Pick<Round, 'storageBytes' | 'begun'> | undefined,
): number | null {
  if (before === undefined || begun === before.begun) return null;
  return (storageBytes - before.storageBytes) / (begun - before.begun);
}

const KINDS: readonly (readonly [keyof Histories, string])[] = [
  ['sleeping', 'asleep'],
  ['expired', 'expired while everything was down'],
  ['revoked', 'revoked'],
];

function historyTable(rounds: readonly Round[]): Table {
  return {
    title: 'History of a lease',
    head: ['lease', 'leases asleep', 'looked at', 'events', 'most', 'writes', 'most', 'bytes', 'most'],
    rows: rounds.flatMap(({ leases, back }) => (back?.histories == null ? [] : historyRows(leases, back.histories))),
  };
}

function historyRows(leases: number, histories: Histories): readonly (readonly string[])[] {
  return KINDS.filter(([kind]) => histories[kind].length > 0).map(([kind, name]) => [
    name,
    formatCount(leases),
    ...historyCells(histories[kind]),
  ]);
}

function historyCells(sizes: readonly HistorySize[]): readonly string[] {
  const events = sizes.map((size) => size.events);
  const writes = sizes.map((size) => size.writes);
  const bytes = sizes.map((size) => size.bytes);
  return [
    String(sizes.length),
    meanOf(events).toFixed(1),
    String(Math.max(...events)),
    meanOf(writes).toFixed(1),
    String(Math.max(...writes)),
    formatCount(Math.round(meanOf(bytes))),
    formatCount(Math.max(...bytes)),
  ];
}

function backTable(rounds: readonly Round[]): Table {
  return {
    title: 'After kill -9 of everything',
    head: [
      'system',
      'leases asleep',
      'ready',
      'first issue',
      'asked for it',
      'overdue',
      'half of them gone',
      'last one gone',
    ],
    rows: rounds.flatMap(({ who, leases, back }) =>
      back === null ? [] : [[who, formatCount(leases), ...backCells(back)]],
    ),
  };
}

function backCells({
  readyMs,
  firstIssueMs,
  firstIssueTries,
  overdue,
  overdueMedianMs,
  overdueLastMs,
}: Back): readonly string[] {
  return [
    Object.entries(readyMs)
      .map(([program, ms]) => `${program} ${formatMs(ms)}`)
      .join(', '),
    formatMs(firstIssueMs),
    firstIssueTries === 1 ? 'once' : `${firstIssueTries} times`,
    String(overdue),
    formatMs(overdueMedianMs),
    formatMs(overdueLastMs),
  ];
}

function memoryTable(rounds: readonly Round[]): Table {
  return {
    title: 'Resident memory',
    head: [
      'process',
      'leases asleep',
      'at rest',
      'after a sweep',
      'restarted, overdue gone',
      'after further leases',
      'further leases',
    ],
    rows: rounds.flatMap((round) =>
      Object.entries(round.rest).map(([program, { residentMb }]) => [
        program,
        formatCount(round.leases),
        formatMb(residentMb),
        formatMb(round.sweptMb[program] ?? null),
        formatMb(round.back?.restartedMb[program] ?? null),
        formatMb(round.back?.furtherMb[program] ?? null),
        round.back === null ? UNKNOWN : String(round.back.further),
      ]),
    ),
  };
}

function sweepTable(rounds: readonly Round[]): Table {
  return {
    title: 'A sweep, which asks Temporal about each entity',
    head: ['live leases', 'took', 'for each lease'],
    rows: rounds.flatMap(({ leases, sweepMs }) =>
      sweepMs === null ? [] : [[formatCount(leases), formatMs(sweepMs), formatMs(sweepMs / leases)]],
    ),
  };
}

export function restartPlots(rounds: readonly Round[], empty: Empty): readonly Plot[] {
  const leases = { label: 'sleeping leases', logarithmic: true };
  const programs = [...new Set(rounds.flatMap(({ rest }) => Object.keys(rest)))];
  const systems = [...new Set(rounds.map(({ who }) => who))];
  const series = (name: string, of: (round: Round) => number | null): Plot['series'] => {
    const points = rounds.flatMap((round) => {
      const value = of(round);
      return value === null ? [] : [[round.leases, value] as const];
    });
    return points.length === 0 ? [] : [{ name, points }];
  };
  return [
    {
      name: 'restart-memory',
      title: 'Resident memory over sleeping leases',
      x: leases,
      y: { label: 'MB' },
      series: programs.flatMap((program) => [
        ...series(`${program}, at rest`, ({ rest }) => rest[program]?.residentMb ?? null),
        ...series(`${program}, restarted`, ({ back }) => back?.restartedMb[program] ?? null),
      ]),
    },
    {
      name: 'restart-storage',
      title: 'Storage over sleeping leases',
      x: leases,
      y: { label: 'MB on disk', logarithmic: true },
      series: systems.flatMap((who) => series(who, (round) => (round.who === who ? storedMb(round, empty) : null))),
    },
  ].filter(({ series: all }) => all.length > 0);
}

/** What the leases take, at least a byte of it: there is no logarithm of nothing. */
function storedMb({ who, storageBytes }: Round, empty: Empty): number {
  return Math.max(1, storageBytes - (empty[who] ?? 0)) / MB;
}

/** Whether a worker's memory grows with the leases that sleep, and whether the first issue waits for them. */
export function restartNotes(rounds: readonly Round[]): readonly string[] {
  const own = rounds.filter(({ rest }) => rest['worker'] !== undefined);
  const [first, last] = [own[0], own.at(-1)];
  if (first === undefined || last === undefined) return [];
  const firstIssues = own.flatMap(({ back }) => (back === null ? [] : [back.firstIssueMs]));
  return [
    ...workerGrowth(first, last),
    ...(firstIssues.length === 0
      ? []
      : [
          `The first issue through the API came at most ${formatMs(Math.max(...firstIssues))} after all processes were ready.`,
        ]),
    ...rounds.flatMap(failedNote),
  ];
}

function workerGrowth(first: Round, last: Round): readonly string[] {
  if (first === last) return [];
  const compared = [
    ['at rest', first.rest['worker']?.residentMb, last.rest['worker']?.residentMb],
    ['after the restart', first.back?.restartedMb['worker'], last.back?.restartedMb['worker']],
  ] as const;
  return compared.flatMap(([when, before, after]) =>
    before == null || after == null
      ? []
      : [
          `Worker ${when}: ${formatMb(before)} with ${formatCount(first.leases)} sleeping leases, ` +
            `${formatMb(after)} with ${formatCount(last.leases)}.`,
        ],
  );
}

function failedNote({ who, leases, failedIssues }: Round): readonly string[] {
  if (failedIssues.length === 0) return [];
  return [
    `${who}, ${formatCount(leases)} leases: ${failedIssues.length} issues failed and were made again: ${reasonsOf(failedIssues)}`,
  ];
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function formatMb(mb: number | null): string {
  if (mb === null) return UNKNOWN;
  return `${mb < 10 ? mb.toFixed(2) : mb.toFixed(0)} MB`;
}

function formatKb(bytes: number): string {
  return `${(bytes / KB).toFixed(2)} KB`;
}
