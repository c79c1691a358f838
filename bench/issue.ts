import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchContext, Findings, Size } from './bench';
import { startDeployment } from './deployment';
import { startFloor } from './floor/floor';
import { planTurns, runTurn } from './issue/block';
import type { Block } from './issue/block';
import { breakDown, breakdownTables } from './issue/breakdown';
import { censusTables, takeCensus } from './issue/census';
import { compareNotes, comparePlots, compareTables } from './issue/compare';
import { openRaw } from './issue/raw';
import { createSystems } from './issue/system';
import { startOpenBao } from './openbao';
import { withOpened } from './opened';
import { startProvider } from './provider';

interface Amounts {
  readonly rounds: number;
  /** In each round, of each system. */
  readonly loads: readonly { readonly callers: number; readonly count: number }[];
  /** Leases that are taken apart, one after the other, and as many runs of the floor. */
  readonly dissected: number;
  /** Leases of each kind whose history is counted. */
  readonly counted: number;
}

const AMOUNTS: Readonly<Record<Size, Amounts>> = {
  quick: {
    rounds: 2,
    loads: [
      { callers: 1, count: 3 },
      { callers: 5, count: 10 },
    ],
    dissected: 4,
    counted: 1,
  },
  full: {
    rounds: 5,
    loads: [
      { callers: 1, count: 60 },
      { callers: 10, count: 150 },
      { callers: 50, count: 250 },
    ],
    dissected: 50,
    counted: 10,
  },
};

const TTL = '30m';
/** Until what was started has come to rest. */
const REST_MS: Readonly<Record<Size, number>> = { quick: 500, full: 10_000 };

export const issue: Bench = {
  name: 'issue',
  about:
    'latency and rate of issuing and revoking, beside OpenBao, the bare SDK and the raw provider calls; where the time goes',
  run,
};

async function run(context: BenchContext): Promise<Findings> {
  const { size, say, directory, tools, signal } = context;
  const { rounds, loads, dissected, counted } = AMOUNTS[size];
  const callers = loads.map((each) => each.callers);
  return withOpened(async (open) => {
    const provider = await open(startProvider(directory), (opened) => opened.stop());
    const compared = await withOpened(async (openInner) => {
      const deployment = await openInner(startDeployment({ directory, tools, provider }), (opened) => opened.stop());
      const openbao = await openInner(startOpenBao({ binary: tools.bao, directory, provider, ttl: TTL }), (opened) =>
        opened.stop(),
      );
      const { temporal, what } = deployment;
      const floor = await openInner(startFloor({ temporal, directory }), (opened) => opened.stop());
      const leases = await openInner(deployment.connect(), (opened) => opened.close());
      const http = await openInner(deployment.connectHttp(), (opened) => opened.close());
      const raw = await openInner(Promise.resolve(openRaw(provider, Math.max(...callers))), (opened) => {
        opened.close();
        return Promise.resolve();
      });
      const systems = createSystems({ deployment, openbao, floor, raw, leases, http });
      const cpu = async () => ({
        temporal: msOf(await deployment.usage('temporal')),
        worker: msOf(await deployment.usage('worker')),
        floor: msOf(await floor.usage()),
      });
      await sleep(REST_MS[size], undefined, { signal });
      const blocks: Block[] = [];
      for (const turn of planTurns(systems, rounds, loads)) {
        say(`Round ${turn.round + 1} of ${rounds}, ${turn.callers} at once: ${turn.system.name}`);
        blocks.push(await runTurn(turn, { provider, signal, cpu }));
      }
      say(`Taking ${dissected} leases apart`);
      const breakdown = await breakDown({ leases, what, floor, raw, samples: dissected, signal });
      return { blocks, breakdown };
    });
    say('Counting what leases leave in Temporal');
    const census = await takeCensus({ directory, tools, provider, samples: counted, signal });
    const { blocks, breakdown } = compared;
    return {
      tables: [...compareTables(blocks, callers), ...breakdownTables(breakdown), ...censusTables(census)],
      plots: comparePlots(blocks, callers),
      notes: [...NOTES, ...compareNotes(blocks)],
      data: {
        blocks,
        breakdown,
        census: {
          kinds: census.kinds,
          calls: census.calls.map(({ what, client, worker }) => ({
            what,
            client: Object.fromEntries(client),
            worker: Object.fromEntries(worker),
          })),
        },
      },
    };
  });
}

const NOTES = [
  'All of it ran on one machine at the same time: clients, workers, Temporal (embedded, SQLite), OpenBao (raft on disk) and PostgreSQL, which does not wait for its disk. In each round every system had one turn at each number of callers, and the order turned round each time.',
  'The raw provider calls are the statements of the integration itself, over one kept connection for each caller, in the process of the bench.',
  'The floor is a workflow of its own with the bare SDK: update-with-start, one activity on a queue of its own that does nothing, a sleep until a signal, and one more activity; with the pollers of the worker of Leasehold.',
  'After each turn it was seen that PostgreSQL had the role of each lease, and after the revokes that it had none.',
  'Steps between events of a history are by the clock of the server, the first and the last by that of the client, which is the same machine.',
];

/** CPU milliseconds; null: not known here. */
function msOf({ cpuSeconds }: { readonly cpuSeconds: number | null }): number | null {
  return cpuSeconds === null ? null : cpuSeconds * 1_000;
}
