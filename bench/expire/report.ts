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
  const ratio = (of: (wave: Wave) => number): string => {
    const [one, other] = [medianOf(waves, first, of), medianOf(waves, second, of)];
    // Of what its expiry is only known to within a moment, a lag can come out as nothing.
    return one > 0 && other > 0 ? formatRatio(one, other) : '';
  };
  return [
    [
      `${first} / ${second} (medians)`,
      ...(['p50', 'p95', 'p99', 'max'] as const).map((which) => ratio(({ lags }) => distributionOf(lags)[which])),
      ratio(({ wholeMs }) => wholeMs),
      '',
      ratio(endsPerSecond),
      ratio(({ issuedPerSecond }) => issuedPerSecond),
    ],
  ];
}

/** Over the whole wave, from the first expiry on: of those that ended. */
export function endsPerSecond({ gone, wholeMs }: Pick<Wave, 'gone' | 'wholeMs'>): number {
  return gone / (wholeMs / 1_000);
}

/** What the same wave gains by more cores: the median of each party's waves on one core and on all. */
export function coresTable(confined: readonly Wave[], free: readonly Wave[]): Table {
  const rows = partiesOf(confined).map((party) => {
    const [few, many] = [medianOf(confined, party, endsPerSecond), medianOf(free, party, endsPerSecond)];
    return [
      party,
      ...[confined, free].map((waves) => formatMs(medianOf(waves, party, ({ wholeMs }) => wholeMs))),
      perSecond(few),
      perSecond(many),
      formatRatio(many, few),
    ];
  });
  const words = (waves: readonly Wave[]): string =>
    [...new Set(waves.map(({ cores }) => coresInWords(cores)))].join(', ');
  const [few, many] = [words(confined), words(free)];
  return {
    title: 'The same wave on more cores',
    head: ['', `${few}: last gone after`, `${many}: last gone after`, `${few}: ends/s`, `${many}: ends/s`, 'gain'],
    rows,
  };
}

/** What PostgreSQL had to bear. @param limits of each party, as they were set. */
export function loadTable(waves: readonly Wave[], limits: Readonly<Record<string, string>>): Table {
  return {
    title: 'Load on PostgreSQL during the wave',
    head: ['', 'connections, most at once', 'transactions/s, highest over 5 s', 'limits'],
    rows: waves.map((wave) => [
      labelOf(wave),
      String(wave.connections),
      wave.transactionsPerSecond === null ? 'shorter' : String(Math.round(wave.transactionsPerSecond)),
      limits[wave.party] ?? '',
    ]),
  };
}

/** What whoever asks the API meanwhile notices. */
export function latencyTable(waves: readonly Wave[]): Table {
  return {
    title: 'Latency of the HTTP API',
    head: ['', 'before: calls', 'p50', 'p95', 'max', 'during: calls', 'p50', 'p95', 'max', 'p50 during / before'],
    rows: waves.flatMap((wave) =>
      Object.entries(wave.latencies).map(([name, latency]) => [`${labelOf(wave)}: ${name}`, ...latencyCells(latency)]),
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
    rows: waves.flatMap((wave) =>
      Object.entries(wave.cpuSeconds).map(([name, seconds]) => [
        `${labelOf(wave)}: ${name}`,
        ...(seconds === null
          ? ['not told', '', '']
          : [
              seconds.toFixed(2),
              (seconds / (wave.wholeMs / 1_000)).toFixed(2),
              ((seconds / wave.total) * 1_000).toFixed(2),
            ]),
      ]),
    ),
  };
}

/** Which process was the limit, in a sentence; null: the system does not tell. */
export function limitOf(wave: Wave): string | null {
  const { cores, wholeMs, cpuSeconds } = wave;
  const shares = Object.entries(cpuSeconds)
    .flatMap(([name, seconds]): readonly Share[] =>
      seconds === null ? [] : [{ name, cores: seconds / (wholeMs / 1_000) }],
    )
    .toSorted((one, other) => other.cores - one.cores);
  const own = shares.filter(({ name }) => name !== WHOLE_MACHINE);
  const [most] = own;
  const busy = shares.find(({ name }) => name === WHOLE_MACHINE)?.cores;
  if (most === undefined || busy === undefined) return null;
  const listed = own.map((share) => `${share.name} ${share.cores.toFixed(2)}`).join(', ');
  const others = busy - own.reduce((sum, share) => sum + share.cores, 0);
  return (
    `${labelOf(wave)}: ${busy.toFixed(2)} of ${coresInWords(cores)} were busy (${listed}): ${conclude(busy, most, cores)}.` +
    (others > DISTURBING ? ` Something else took ${others.toFixed(2)} cores: these figures are worth little.` : '')
  );
}

interface Share {
  readonly name: string;
  readonly cores: number;
}

function conclude(busy: number, most: Share, cores: number): string {
  if (busy >= NEARLY * cores) return `the machine was full, and ${most.name} took most of what was measured`;
  if (most.cores >= NEARLY) return `${most.name} took about one core while others were free, so that it was the limit`;
  return `cores were free, so that it was not the CPU that it waited for; ${most.name} took most`;
}

/** Among the processes: all that the machine did, whoever asked for it. */
export const WHOLE_MACHINE = 'whole machine';
/** Cores that belong to nobody who is measured. */
const DISTURBING = 0.3;
/** The share from which on a core, or the machine, counts as full. */
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

function medianOf(waves: readonly Wave[], name: string, of: (wave: Wave) => number): number {
  return median(waves.filter(({ party }) => party === name).map(of));
}

function labelOf({ party, total, cores }: Wave): string {
  return `${party}, ${total}, ${coresInWords(cores)}`;
}

function coresInWords(cores: number): string {
  return `${cores} ${cores === 1 ? 'core' : 'cores'}`;
}

function partiesOf(waves: readonly Wave[]): readonly string[] {
  return [...new Set(waves.map(({ party }) => party))].toSorted((one, other) => one.localeCompare(other));
}

function perSecond(rate: number): string {
  return rate.toFixed(rate < 10 ? 2 : 1);
}
