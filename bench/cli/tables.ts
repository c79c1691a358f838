import { distributionOf, formatMs, formatRatio } from '../statistics';
import type { Table } from '../table';
import { TYPED } from './commands';

/** Durations in milliseconds by the name of the command, in the order of the rounds. */
export type Runs = ReadonlyMap<string, readonly number[]>;

/** Beside what each is compared. */
const PEERS: Readonly<Record<string, string>> = {
  [TYPED.version]: TYPED.baoVersion,
  [TYPED.lease]: TYPED.baoRead,
  [TYPED.run]: TYPED.baoRead,
};

const DIFFERENCES: readonly (readonly [what: string, from: string, less: string])[] = [
  ["what the smallest command adds to Node's start", TYPED.version, TYPED.node],
  ['loading the client, and a question to the API', TYPED.list, TYPED.version],
  ['loading the client, and a lease', TYPED.lease, TYPED.version],
  ['what run adds to a program: start, lease, revoke', TYPED.run, TYPED.true],
  ['of which lease, child and revoke', TYPED.run, TYPED.version],
  ["OpenBao's lease", TYPED.baoRead, TYPED.baoVersion],
];

export function cliTables(runs: Runs): readonly Table[] {
  return [
    {
      title: 'Commands, from their start to their end',
      head: ['Command', 'Runs', 'p50', 'p95', 'Slowest', 'p50 to its peer', 'Peer'],
      rows: Object.values(TYPED).map((name) => {
        const { count, p50, p95, max } = distributionOf(runs.get(name) ?? []);
        const peer = PEERS[name];
        const ratio = peer === undefined ? '-' : formatRatio(p50, distributionOf(runs.get(peer) ?? []).p50);
        return [name, String(count), formatMs(p50), formatMs(p95), formatMs(max), ratio, peer ?? '-'];
      }),
    },
    {
      title: 'What is added: differences within each round',
      head: ['What', 'Difference', 'p50', 'p95'],
      rows: DIFFERENCES.map(([what, from, less]) => {
        const { p50, p95 } = distributionOf(differences(runs, from, less));
        return [what, `${from} − ${less}`, formatMs(p50), formatMs(p95)];
      }),
    },
  ];
}

/** Round by round. @throws Error if one of the two was not run in each. */
export function differences(runs: Runs, from: string, less: string): readonly number[] {
  const [longer = [], shorter = []] = [runs.get(from), runs.get(less)];
  if (longer.length !== shorter.length) {
    throw new Error(`${from} ran ${longer.length} times, and ${less} ${shorter.length} times.`);
  }
  return longer.map((ms, round) => ms - (shorter[round] ?? Number.NaN));
}
