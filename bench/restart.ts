import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, BenchContext, Findings, Size } from './bench';
import { startDeployment } from './deployment';
import { collectMissing, messageOf } from './missing';
import type { Missing } from './missing';
import { startOpenBao } from './openbao';
import { withOpened } from './opened';
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
  /** Of Leasehold, each of which makes the same share of its roles: PostgreSQL takes the longer the more one has made. */
  readonly orchestrators: number;
  /** Those of them with which OpenBao is measured as well. */
  readonly besides: readonly number[];
}

const SIZES: Readonly<Record<Size, RestartSize>> = {
  quick: {
    leases: [50, 200],
    orchestrators: 2,
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
    orchestrators: 5,
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
  const { size, tools, say } = context;
  const missing = collectMissing(context);
  const directory = join(context.directory, 'openbao');
  await mkdir(directory, { mode: 0o700 });
  return withOpened(async (open) => {
    const provider = await open(startProvider(context.directory), async (opened) => {
      await opened.stop();
      say('The roles of the leases that still slept went with their PostgreSQL server, not one by one.');
    });
    const { ttl, orchestrators: count } = SIZES[size];
    const deployment = await open(
      startDeployment({
        directory: context.directory,
        tools,
        provider,
        orchestrators: await provider.addOrchestrators(count),
      }),
      (opened) => opened.stop(),
    );
    const bao = await open(startOpenBao({ binary: tools.bao, directory, provider, ttl }), (opened) => opened.stop());
    const contenders = [contendByLeasehold(deployment), contendByOpenBao(bao, directory)];
    for (const contender of contenders) {
      await open(Promise.resolve(contender), (opened) =>
        opened.close().catch(() => {
          say(`The connection of ${opened.name} was gone already.`);
        }),
      );
    }
    const empty = Object.fromEntries(
      await Promise.all(contenders.map(async (each) => [each.name, await each.storageBytes()] as const)),
    );
    const rounds = await playRounds(context, provider, contenders, missing);
    return report(size, rounds, empty, missing.sentences);
  }, missing.noteUnstopped);
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
  missing: Missing,
): Promise<readonly Round[]> {
  const size = SIZES[named];
  const rounds: Round[] = [];
  const populations = new Map<Contender, Population>(contenders.map((each) => [each, { sleeping: [], begun: 0 }]));
  const play = async (contender: Contender, leases: number, before: Population): Promise<boolean> => {
    const { round, after } = await playRound({ contender, provider, leases, before, size, missing, say, signal });
    rounds.push(round);
    if (after === null) return false;
    populations.set(contender, after);
    return true;
  };
  for (const [index, leases] of size.leases.entries()) {
    const [own, other] = contenders;
    for (const contender of index % 2 === 0 ? contenders : contenders.toReversed()) {
      const before = populations.get(contender);
      if (before === undefined || (contender === other && !size.besides.includes(leases))) continue;
      const isFirst = contender === own && !rounds.some(({ who }) => who === own.name);
      const lost = `${contender.name} was not measured with ${formatCount(leases)} leases and more`;
      const goesOn = isFirst
        ? await play(contender, leases, before)
        : await missing.attempt(lost, () => play(contender, leases, before));
      if (goesOn === true) continue;
      if (contender === own || signal.aborted) {
        missing.note('With that the bench ended: what was to come after it was not measured.');
        return rounds;
      }
      populations.delete(contender);
      // Its leases go on otherwise, and take from the machine what the other one is measured on.
      await contender.kill().catch((error: unknown) => {
        missing.note(
          `${contender.name} could not be stopped, and may have disturbed what came after it: ${messageOf(error)}`,
        );
      });
    }
  }
  return rounds;
}

function report(named: Size, rounds: readonly Round[], empty: Empty, missing: readonly string[]): Findings {
  const { ttl, overdue, overdueTtl, downMs, further, leases, besides, orchestrators } = SIZES[named];
  const alone = leases.filter((count) => !besides.includes(count)).map(formatCount);
  return {
    tables: restartTables(rounds, empty),
    plots: restartPlots(rounds, empty),
    notes: [
      ...restartNotes(rounds),
      ...(alone.length === 0
        ? []
        : [`OpenBao is not measured with ${alone.join(' and ')} leases: Leasehold alone is.`]),
      `Leases sleep for ${ttl}. ${overdue} more of ${overdueTtl} were issued before each kill -9; ${downMs / 1_000} s later everything was ` +
        `started at once, and each role was looked for every 100 ms. A process that ends because Temporal is not there yet is started again, ` +
        `as whatever watches over it would do.`,
      '"First issue" and "gone" count from the instant at which all processes of the system were ready; a negative time came before that.',
      'Sweeps also run by their schedule, as in production, and may fall into what was measured.',
      `Leasehold leases by ${orchestrators} orchestrators in turn, each of an integration of its own, and OpenBao by another one: PostgreSQL looks ` +
        'through all roles that an orchestrator has made at each statement about one of them. With several, OpenBao revokes at the same time ' +
        'in one database, and PostgreSQL refuses some of that ("tuple concurrently updated").',
      'OpenBao, in one process, is ready once it is unsealed. Both had the same PostgreSQL and were never asked for leases at the same ' +
        'time; each of them rested with its sleeping leases while the other was measured.',
      'Storage is the SQLite file of Temporal with its write-ahead log, and the Raft directory of OpenBao, read before the sweep. It holds ' +
        `the ended leases of earlier rounds as well, ${overdue + 1 + further} for each. What one more lease takes is told by the increment ` +
        'from one round to the next: logs and files that are made large beforehand count in both.',
      'The roles of the leases that still slept went with their PostgreSQL server at the end, not one by one.',
    ],
    missing,
    data: { size: SIZES[named], rounds, empty },
  };
}
