import { distributionOf, formatMs, formatRatio, median } from '../statistics';
import type { Plot } from '../plot';
import type { Table } from '../table';
import type { Latencies, Wave } from './wave';

/** How long credentials outlive their expiry: a row for each wave, and the ratio of the first party to the second. */
export function lagTable(title: string, waves: readonly Wave[]): Table {
  const rows = waves.map((wave) => {
    const { p50, p95, p99, max } = distributionOf(wave.lags);
    return [
      wave.party,
      ...[p50, p95, p99, max, wave.wholeMs, wave.spreadMs].map(formatMs),
      perSecond(endsPerSecond(wave)),
      perSecond(wave.issuedPerSecond),
    ];
  });
  const head = [
    'gone after its expiry',
    'p50',
    'p95',
    'p99',
    'max',
    'first expiry to last gone',
    'expiries spread over',
    'ends/s',
    'issued/s',
  ];
  return { title, head, rows: [...rows, ...ratios(waves)] };
}

/** Of two parties: how much longer the first one's take. */
function ratios(waves: readonly Wave[]): readonly (readonly string[])[] {
  const [first, second] = partiesOf(waves);
  if (first === undefined || second === undefined) return [];
  const medians = (of: (wave: Wave) => number): readonly [number, number] => [
    median(waves.filter(({ party }) => party === first).map(of)),
    median(waves.filter(({ party }) => party === second).map(of)),
  ];
  const lag = (which: 'p50' | 'p95' | 'p99' | 'max'): string =>
    formatRatio(...medians(({ lags }) => distributionOf(lags)[which]));
  return [
    [
      `${first} / ${second} (medians)`,
      ...(['p50', 'p95', 'p99', 'max'] as const).map(lag),
      formatRatio(...medians(({ wholeMs }) => wholeMs)),
      '',
      formatRatio(...medians(endsPerSecond)),
      formatRatio(...medians(({ issuedPerSecond }) => issuedPerSecond)),
    ],
  ];
}

/** Over the whole wave, from the first expiry on. */
export function endsPerSecond({ total, wholeMs }: Pick<Wave, 'total' | 'wholeMs'>): number {
  return total / (wholeMs / 1_000);
}

/** What PostgreSQL had to bear. @param limits of each party, as they were set. */
export function loadTable(waves: readonly Wave[], limits: Readonly<Record<string, string>>): Table {
  return {
    title: 'Load on PostgreSQL during the wave',
    head: ['', 'connections, most at once', 'transactions/s, highest over 5 s', 'limits'],
    rows: waves.map(({ party, total, connections, transactionsPerSecond }) => [
      `${party}, ${total}`,
      String(connections),
      transactionsPerSecond === null ? 'shorter' : String(Math.round(transactionsPerSecond)),
      limits[party] ?? '',
    ]),
  };
}

/** What whoever asks the API meanwhile notices. */
export function latencyTable(waves: readonly Wave[]): Table {
  return {
    title: 'Latency of the HTTP API',
    head: ['', 'before: calls', 'p50', 'p95', 'max', 'during: calls', 'p50', 'p95', 'max', 'p50 during / before'],
    rows: waves.flatMap(({ party, total, latencies }) =>
      Object.entries(latencies).map(([name, latency]) => [`${party}, ${total}: ${name}`, ...latencyCells(latency)]),
    ),
  };
}

function latencyCells({ before, during }: Latencies): readonly string[] {
  const cells = (samples: readonly number[]): readonly string[] => {
    if (samples.length === 0) return ['0', '', '', ''];
    const { count, p50, p95, max } = distributionOf(samples);
    return [String(count), formatMs(p50), formatMs(p95), formatMs(max)];
  };
  const ratio =
    before.length === 0 || during.length === 0
      ? ''
      : formatRatio(distributionOf(during).p50, distributionOf(before).p50);
  return [...cells(before), ...cells(during), ratio];
}

/** Who worked for how long. */
export function cpuTable(waves: readonly Wave[]): Table {
  return {
    title: 'CPU from the first expiry until the last one was gone',
    head: ['', 'CPU seconds', 'cores', 'CPU ms per credential'],
    rows: waves.flatMap(({ party, total, wholeMs, cpuSeconds }) =>
      Object.entries(cpuSeconds).map(([name, seconds]) => [
        `${party}, ${total}: ${name}`,
        ...(seconds === null
          ? ['not told', '', '']
          : [seconds.toFixed(2), (seconds / (wholeMs / 1_000)).toFixed(2), ((seconds / total) * 1_000).toFixed(2)]),
      ]),
    ),
  };
}

/** Which process was the limit, in a sentence; null: the system does not tell. */
export function limitOf({ party, total, wholeMs, cpuSeconds }: Wave, cores: number): string | null {
  const shares = Object.entries(cpuSeconds)
    .flatMap(([name, seconds]) => (seconds === null ? [] : [{ name, cores: seconds / (wholeMs / 1_000) }]))
    .toSorted((one, other) => other.cores - one.cores);
  const [most] = shares;
  if (most === undefined) return null;
  const all = shares.reduce((sum, share) => sum + share.cores, 0);
  const listed = shares.map((share) => `${share.name} ${share.cores.toFixed(2)}`).join(', ');
  const conclusion =
    all >= NEARLY * cores
      ? `the machine was full, ${most.name} took most of it`
      : most.name !== TEMPORAL && most.cores >= NEARLY
        ? `${most.name} had a core full, which is all that one such process can use`
        : 'no process was at its limit: it waited';
  return `${party}, ${total} credentials: ${all.toFixed(2)} of ${cores} cores were busy (${listed}): ${conclusion}.`;
}

/** Runs on as many cores as there are. */
const TEMPORAL = 'temporal';
const NEARLY = 0.85;

/** Live credentials over time since the first expiry, a line for each wave. */
export function livePlot(name: string, title: string, waves: readonly Wave[]): Plot {
  return {
    name,
    title,
    x: { label: 'seconds since the first expiry' },
    y: { label: 'roles at PostgreSQL' },
    series: waves.map(({ party, live }, nth) => ({
      name: `${party} ${waves.slice(0, nth + 1).filter((other) => other.party === party).length}`,
      points: live.filter(([seconds]) => seconds > -1),
    })),
  };
}

function partiesOf(waves: readonly Wave[]): readonly string[] {
  return [...new Set(waves.map(({ party }) => party))].toSorted((one, other) => one.localeCompare(other));
}

function perSecond(rate: number): string {
  return rate.toFixed(rate < 10 ? 2 : 1);
}
