import type { Plot } from './plot';
import { reasonsOf } from './missing';
import { formatCount } from './progress';
import type { Deeds } from './soak-play';
import type { Sample } from './soak-samples';
import { distributionOf, formatMs } from './statistics';
import type { Distribution } from './statistics';
import type { Table } from './table';
import { secondHalfOf, slopeOf } from './trend';
import type { Point } from './trend';
import type { Usage } from './usage';

const UNKNOWN = '–';
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** By then caches and pools are filled. */
const WARM = 0.1;

/** How one process used memory and handles. */
export interface Flatness {
  readonly process: string;
  readonly warmMb: number | null;
  readonly halfMb: number | null;
  readonly lastMb: number | null;
  /** Over the second half. */
  readonly mbPerHour: number | null;
  readonly warmHandles: number | null;
  readonly lastHandles: number | null;
  /** Of one core, from the first sample to the last. */
  readonly cpuPercent: number | null;
}

export function flatnessOf(samples: readonly Sample[]): readonly Flatness[] {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return [];
  const warm = samples[Math.floor(samples.length * WARM)] ?? first;
  const half = secondHalfOf(samples)[0] ?? last;
  return Object.keys(first.usages).map((process) => {
    const at = (sample: Sample): Usage => sample.usages[process] ?? NOTHING;
    const memory = pointsOf(secondHalfOf(samples), process, 'residentMb', HOUR_MS);
    const [before, after] = [at(first).cpuSeconds, at(last).cpuSeconds];
    const seconds = (last.atMs - first.atMs) / 1_000;
    return {
      process,
      warmMb: at(warm).residentMb,
      halfMb: at(half).residentMb,
      lastMb: at(last).residentMb,
      mbPerHour: slopeOf(memory),
      warmHandles: at(warm).handles,
      lastHandles: at(last).handles,
      cpuPercent: before === null || after === null || seconds === 0 ? null : ((after - before) / seconds) * 100,
    };
  });
}

const NOTHING: Usage = { residentMb: null, cpuSeconds: null, handles: null };

/** Of one process; nothing where the system does not tell. @param unitMs of the time. */
function pointsOf(samples: readonly Sample[], process: string, what: keyof Usage, unitMs: number): readonly Point[] {
  return samples.flatMap(({ atMs, usages }) => {
    const value = usages[process]?.[what] ?? null;
    return value === null ? [] : [[atMs / unitMs, value] as const];
  });
}

export function soakTables(samples: readonly Sample[], deeds: Deeds): readonly Table[] {
  return [flatnessTable(flatnessOf(samples)), deedsTable(deeds)];
}

function flatnessTable(all: readonly Flatness[]): Table {
  return {
    title: 'Memory and handles over time',
    head: [
      'process',
      'resident at 10 %',
      'at half',
      'at the end',
      'slope, second half',
      'handles at 10 %',
      'at the end',
      'CPU of a core',
    ],
    rows: all.map((each) => [
      each.process,
      format(each.warmMb, 0, ' MB'),
      format(each.halfMb, 0, ' MB'),
      format(each.lastMb, 0, ' MB'),
      format(each.mbPerHour, 1, ' MB/h'),
      format(each.warmHandles, 0, ''),
      format(each.lastHandles, 0, ''),
      format(each.cpuPercent, 0, ' %'),
    ]),
  };
}

/** How long issuing took each way; null if nothing was issued that way. */
export function issuesOf({ issues }: Pick<Deeds, 'issues'>): Readonly<Record<string, Distribution | null>> {
  return Object.fromEntries(
    Object.entries(issues).map(([way, durations]) => [way, durations.length === 0 ? null : distributionOf(durations)]),
  );
}

function deedsTable(deeds: Deeds): Table {
  const { extended, revoked, leftToExpire, failures } = deeds;
  const issued = Object.entries(issuesOf(deeds)).map(([way, distribution]) => {
    if (distribution === null) return [issuedOver(way), '0', UNKNOWN, UNKNOWN, UNKNOWN];
    const { count, p50, p95, p99 } = distribution;
    return [issuedOver(way), formatCount(count), formatMs(p50), formatMs(p95), formatMs(p99)];
  });
  const counted = { extended, revoked, 'left to expire': leftToExpire, 'calls that failed': failures.length };
  return {
    title: 'What was done meanwhile',
    head: ['leases', 'how many', 'p50', 'p95', 'p99'],
    rows: [
      ...issued,
      ...Object.entries(counted).map(([what, count]) => [what, formatCount(count), UNKNOWN, UNKNOWN, UNKNOWN]),
    ],
  };
}

export function soakPlots(samples: readonly Sample[]): readonly Plot[] {
  const processes = Object.keys(samples[0]?.usages ?? {});
  const plot = (name: string, title: string, label: string, what: keyof Usage): Plot => ({
    name,
    title,
    x: { label: 'minutes' },
    y: { label },
    series: processes
      .map((process) => ({ name: process, points: pointsOf(samples, process, what, MINUTE_MS) }))
      .filter(({ points }) => points.length > 0),
  });
  return [
    plot('soak-memory', 'Resident memory while leases come and go', 'MB', 'residentMb'),
    plot('soak-handles', 'Open handles while leases come and go', 'handles', 'handles'),
  ].filter(({ series }) => series.length > 0);
}

function format(value: number | null, digits: number, unit: string): string {
  return value === null ? UNKNOWN : `${value.toFixed(digits)}${unit}`;
}

const WAYS: Readonly<Record<string, string>> = { library: 'issued through the library', http: 'issued through HTTP' };

function issuedOver(way: string): string {
  return WAYS[way] ?? way;
}

/** @param ranMs for which leases were begun. @param perSecond leases that were to be begun. */
export function soakNotes({ begun }: Pick<Deeds, 'begun'>, ranMs: number, perSecond: number): readonly string[] {
  const rate = ranMs === 0 ? UNKNOWN : (begun / (ranMs / 1_000)).toFixed(1);
  return [
    `${formatCount(begun)} leases were begun in ${(ranMs / MINUTE_MS).toFixed(1)} min, ${rate} a second of ${perSecond} that were to be.`,
  ];
}

/** What was to be done to leases and was not: a flat line over calls that failed, or were never made, says nothing. */
export function shortcomingsOf(deeds: Deeds): readonly string[] {
  const { issues, extended, revoked, leftToExpire, failures } = deeds;
  const counts = {
    'issued through the library': issues.library.length,
    'issued through HTTP': issues.http.length,
    extended,
    revoked,
    'left to its expiry': leftToExpire,
  };
  return [
    ...(failures.length === 0 ? [] : [`${formatCount(failures.length)} calls failed: ${reasonsOf(failures)}`]),
    ...Object.entries(counts)
      .filter(([, count]) => count === 0)
      .map(([deed]) => `No lease was ${deed}.`),
  ];
}
