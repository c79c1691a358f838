import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchContext, Findings, Size } from './bench';
import { startDeployment } from './deployment';
import { startFloor } from './floor/floor';
import { planTurns, runTurn } from './issue/block';
import type { Block, Surroundings, Turn } from './issue/block';
import { breakDown, breakdownTables } from './issue/breakdown';
import { censusTables, takeCensus } from './issue/census';
import type { Census } from './issue/census';
import { compareNotes, comparePlots, compareTables } from './issue/compare';
import { openRaw } from './issue/raw';
import { createSystems } from './issue/system';
import type { System } from './issue/system';
import { collectMissing } from './missing';
import type { Missing } from './missing';
import { startOpenBao } from './openbao';
import { withOpened } from './opened';
import { startProvider } from './provider';

interface Amounts {
  /** Even, so that each order occurs as often as the other. One more before them is not counted. */
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
    rounds: 4,
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
  const { loads, dissected, counted } = AMOUNTS[size];
  const callers = loads.map((each) => each.callers);
  const missing = collectMissing(context);
  return withOpened(async (open) => {
    const provider = await open(startProvider(directory), (opened) => opened.stop());
    const { blocks, breakdown } = await withOpened(async (openInner) => {
      const deployment = await openInner(startDeployment({ directory, tools, provider }), (opened) => opened.stop());
      const openbao = await openInner(startOpenBao({ binary: tools.bao, directory, provider, ttl: TTL }), (opened) =>
        opened.stop(),
      );
      const { temporal, what } = deployment;
      const floor = await openInner(startFloor({ temporal, directory, signal }), (opened) => opened.stop());
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
      const compared = await playRounds(context, systems, { provider, signal, cpu }, missing);
      say(`Taking ${dissected} leases apart`);
      const taken = await missing.attempt('Where the time of a lease goes was not measured', () =>
        breakDown({ leases, what, floor, raw, samples: dissected, signal }),
      );
      return { blocks: compared, breakdown: taken };
    }, missing.noteUnstopped);
    say('Counting what leases leave in Temporal');
    const census = await missing.attempt('What a lease leaves in Temporal was not counted', () =>
      takeCensus({ directory, tools, provider, samples: counted, signal }),
    );
    return {
      tables: [
        ...compareTables(blocks, callers),
        ...(breakdown === null ? [] : breakdownTables(breakdown)),
        ...(census === null ? [] : censusTables(census)),
      ],
      plots: comparePlots(blocks, callers),
      notes: [...NOTES, ...compareNotes(blocks)],
      missing: missing.sentences,
      data: { blocks, breakdown, census: census === null ? null : writable(census) },
    };
  }, missing.noteUnstopped);
}

/**
 * All rounds, after one that is not counted. A round counts as a whole or not at all.
 * @throws what the first one failed of: then nothing was measured.
 */
async function playRounds(
  { size, say }: BenchContext,
  systems: readonly System[],
  surroundings: Surroundings,
  missing: Missing,
): Promise<readonly Block[]> {
  const { rounds, loads } = AMOUNTS[size];
  const play = async (turns: readonly Turn[], name: string): Promise<readonly Block[]> => {
    const played: Block[] = [];
    for (const turn of turns) {
      say(`${name}, ${turn.callers} at once: ${turn.system.name}`);
      played.push(await runTurn(turn, surroundings));
    }
    return played;
  };
  const turns = planTurns(systems, rounds, loads);
  const playRound = (round: number): Promise<readonly Block[]> =>
    play(
      turns.filter((turn) => turn.round === round),
      `Round ${round + 1} of ${rounds}`,
    );
  await play(planTurns(systems, 1, loads), 'Warming up');
  const blocks = [...(await playRound(0))];
  for (let round = 1; round < rounds; round += 1) {
    const played = await missing.attempt(
      `Of ${rounds} rounds only ${round} ${round === 1 ? 'was' : 'were'} measured`,
      () => playRound(round),
    );
    if (played === null) break;
    blocks.push(...played);
  }
  return blocks;
}

const NOTES = [
  'All of it ran on one machine at the same time: clients, workers, Temporal (embedded, SQLite), OpenBao (raft on disk) and PostgreSQL, which does not wait for its disk. After a round that is not counted every system had, in each round, one turn at each number of callers, and the order turned round each time.',
  'Connections to PostgreSQL: Leasehold 5 for issuing and 5 for removing, OpenBao 4 for both (with either, its default); the raw provider calls one for each caller.',
  'The raw provider calls are the statements of the integration itself, in the process of the bench. At many callers they wait for one another at PostgreSQL: what is taken off a lease is what they take of one caller, in the same round.',
  'The floor is a workflow of its own with the bare SDK: update-with-start, one activity on a queue of its own that does nothing, a sleep until a signal, and one more activity; with the pollers of the worker of Leasehold.',
  'After each turn it was seen that PostgreSQL had the role of each lease, and after the revokes that it had none.',
  'Steps between events of a history are by the clock of the server, the first and the last by that of the client, which is the same machine.',
];

/** As JSON has it, which knows no maps. */
function writable({ kinds, calls }: Census): unknown {
  return {
    kinds,
    calls: calls.map(({ what, client, worker }) => ({
      what,
      client: Object.fromEntries(client),
      worker: Object.fromEntries(worker),
    })),
  };
}

/** CPU milliseconds; null: not known here. */
function msOf({ cpuSeconds }: { readonly cpuSeconds: number | null }): number | null {
  return cpuSeconds === null ? null : cpuSeconds * 1_000;
}
