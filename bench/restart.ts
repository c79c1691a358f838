import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, BenchContext, Findings, Size } from './bench';
import { startDeployment } from './deployment';
import { startOpenBao } from './openbao';
import { formatCount } from './progress';
import { startProvider } from './provider';
import type { Provider } from './provider';
import { contendByLeasehold, contendByOpenBao } from './restart-contender';
import type { Contender } from './restart-contender';
import { restartNotes, restartPlots, restartTables } from './restart-report';
import type { Empty } from './restart-report';
import { playRound } from './restart-round';
import type { Population, Round, RoundSize } from './restart-round';

interface RestartSize extends RoundSize {
  /** How many leases sleep, from one round to the next. */
  readonly leases: readonly number[];
  /** Those of them with which OpenBao is measured as well. */
  readonly besides: readonly number[];
}

const SIZES: Readonly<Record<Size, RestartSize>> = {
  quick: {
    leases: [50, 200],
    besides: [50, 200],
    ttl: '6h',
    issuedAtOnce: 20,
    settleMs: 1_000,
    restMs: 3_000,
    sampled: 5,
    overdue: 10,
    overdueTtl: '6s',
    downMs: 8_000,
    further: 20,
    furtherAtOnce: 10,
  },
  full: {
    leases: [1_000, 10_000, 50_000],
    besides: [1_000, 10_000],
    ttl: '6h',
    issuedAtOnce: 45,
    settleMs: 15_000,
    restMs: 30_000,
    sampled: 50,
    overdue: 20,
    overdueTtl: '10s',
    downMs: 15_000,
    further: 200,
    furtherAtOnce: 10,
  },
};

/** What sleeping leases cost, and how soon a system that has many is back after all of it was killed. */
export const restart: Bench = {
  name: 'restart',
  about: 'N sleeping leases: everything is killed and started again; memory, storage and history of a lease',
  run,
};

async function run(context: BenchContext): Promise<Findings> {
  const provider = await startProvider(context.directory);
  try {
    return await compare(context, provider);
  } finally {
    await provider.stop();
    context.say('The roles of the leases that still slept went with their PostgreSQL server, not one by one.');
  }
}

async function compare(context: BenchContext, provider: Provider): Promise<Findings> {
  const { tools, say } = context;
  const directory = join(context.directory, 'openbao');
  await mkdir(directory, { mode: 0o700 });
  const deployment = await startDeployment({ directory: context.directory, tools, provider });
  try {
    const { ttl } = SIZES[context.size];
    const bao = await startOpenBao({ binary: tools.bao, directory, provider, ttl });
    const contenders = [contendByLeasehold(deployment), contendByOpenBao(bao, directory)];
    try {
      const empty = Object.fromEntries(
        await Promise.all(contenders.map(async (each) => [each.name, await each.storageBytes()] as const)),
      );
      const played = await playRounds(context, provider, contenders);
      return report(context.size, played, empty);
    } finally {
      for (const contender of contenders) {
        await contender.close().catch(() => {
          say(`The connection of ${contender.name} was gone already.`);
        });
      }
      await bao.stop();
    }
  } finally {
    await deployment.stop();
  }
}

interface Played {
  readonly rounds: readonly Round[];
  /** Why there are not all. */
  readonly failures: readonly string[];
}

/**
 * One system after the other, never both at once, the first one alternating. A system whose round fails plays no more; what was
 * measured before stands.
 * @throws what the first round of Leasehold failed of: then nothing was measured.
 */
async function playRounds(
  { size: named, say, signal }: BenchContext,
  provider: Provider,
  contenders: readonly Contender[],
): Promise<Played> {
  const size = SIZES[named];
  const rounds: Round[] = [];
  const failures: string[] = [];
  const populations = new Map<Contender, Population>(contenders.map((each) => [each, { sleeping: [], begun: 0 }]));
  for (const [index, leases] of size.leases.entries()) {
    const [own, other] = contenders;
    for (const contender of index % 2 === 0 ? contenders : contenders.toReversed()) {
      const before = populations.get(contender);
      if (before === undefined || (contender === other && !size.besides.includes(leases))) continue;
      try {
        const { round, after } = await playRound({ contender, provider, leases, before, size, say, signal });
        rounds.push(round);
        populations.set(contender, after);
      } catch (error) {
        if (!rounds.some(({ who }) => who === own?.name) && (contender === own || signal.aborted)) throw error;
        const why = signal.aborted ? 'the bench was asked to end' : messageOf(error);
        failures.push(`${contender.name} was not measured with ${formatCount(leases)} leases and more: ${why}`);
        say(failures.at(-1) ?? '');
        populations.delete(contender);
        if (contender === own || signal.aborted) return { rounds, failures };
      }
    }
  }
  return { rounds, failures };
}

function report(named: Size, { rounds, failures }: Played, empty: Empty): Findings {
  const { ttl, overdue, overdueTtl, downMs, further } = SIZES[named];
  return {
    tables: restartTables(rounds, empty),
    plots: restartPlots(rounds, empty),
    notes: [
      ...failures,
      ...restartNotes(rounds),
      `Leases sleep for ${ttl}. ${overdue} more of ${overdueTtl} were issued before each kill -9; ${downMs / 1_000} s later everything was ` +
        `started at once, and each role was looked for every 100 ms. A process that ends because Temporal is not there yet is started again, ` +
        `as whatever watches over it would do.`,
      '"First issue" and "gone" count from the instant at which all processes of the system were ready; a negative time came before that.',
      'Sweeps also run by their schedule, as in production, and may fall into what was measured.',
      'OpenBao, in one process, is ready once it is unsealed. Both had the same PostgreSQL and were never asked for leases at the same ' +
        'time; each of them rested with its sleeping leases while the other was measured.',
      'Storage is the SQLite file of Temporal with its write-ahead log, and the Raft directory of OpenBao. It holds the ended leases of ' +
        `earlier rounds as well, ${overdue + 1 + further} for each.`,
      'The roles of the leases that still slept went with their PostgreSQL server at the end, not one by one.',
    ],
    missing: failures,
    data: { size: SIZES[named], rounds, empty, failures },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
