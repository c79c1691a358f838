import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '../client/bounds';
import type { ConnectedLeases } from '../client/temporal';
import type { Bench, BenchContext, Findings, Size } from './bench';
import { createCommands, proveRun } from './cli/commands';
import { runOnce } from './cli/run-once';
import type { Typed } from './cli/run-once';
import { cliTables } from './cli/tables';
import { startDeployment } from './deployment';
import { TOKEN } from './deployment-config';
import { load } from './load';
import { collectMissing } from './missing';
import { startOpenBao } from './openbao';
import { withOpened } from './opened';
import { startProvider } from './provider';
import type { Provider } from './provider';

interface Amounts {
  readonly rounds: number;
  /** Leases that live all the time, for a list. */
  readonly listed: number;
}

const AMOUNTS: Readonly<Record<Size, Amounts>> = {
  quick: { rounds: 3, listed: 3 },
  full: { rounds: 100, listed: 20 },
};

const TTL = '30m';
/** How many of those that live all the time are made, and ended, at once. */
const AT_ONCE = 10;
/** How far Temporal's index may lag, and how long a revoke may take that nobody waits for. */
const SEEN_WITHIN_MS = 20_000;

export const cli: Bench = {
  name: 'cli',
  about: 'cold start of the command line and what run adds to a program, beside the command line of OpenBao',
  run,
};

async function run(context: BenchContext): Promise<Findings> {
  const { size, say, directory, tools, signal } = context;
  const { rounds, listed } = AMOUNTS[size];
  const missing = collectMissing(context);
  return withOpened(async (open) => {
    const home = join(directory, 'home');
    await mkdir(home);
    const provider = await open(startProvider(directory), (opened) => opened.stop());
    const deployment = await open(startDeployment({ directory, tools, provider }), (opened) => opened.stop());
    const openbao = await open(startOpenBao({ binary: tools.bao, directory, provider, ttl: TTL }), (opened) =>
      opened.stop(),
    );
    const leases = await open(deployment.connect(), (opened) => opened.close());
    const listedIds: string[] = [];
    await load({ total: listed, concurrency: AT_ONCE, signal }, async () => {
      listedIds.push((await leases.issue({ ...deployment.what, holder: 'bench', ttl: TTL })).leaseId);
    });
    await untilListed(leases, listed, { state: 'active' });
    const ours: string[] = [];
    const theirs: string[] = [];
    const commands = createCommands({
      deployment,
      openbao,
      bao: tools.bao,
      home,
      listed,
      onLeased: (leaseId) => ours.push(leaseId),
      onBaoLeased: (leaseId) => theirs.push(leaseId),
    });
    /** Sees what the command has left at the provider, and ends it, so that the next one finds all as this one did. */
    const runAndClear = async (typed: Typed): Promise<number> => {
      const { ms } = await runOnce(typed, signal);
      await untilRoles(provider, deployment.rolePrefix, listed + ours.length);
      await untilRoles(provider, openbao.rolePrefix, theirs.length);
      for (const leaseId of ours.splice(0)) await leases.revoke(leaseId, { wait: true });
      for (const leaseId of theirs.splice(0)) await openbao.revoke(leaseId);
      return ms;
    };
    // Files are read from the disk the first time.
    for (const typed of [...commands, proveRun(commands, deployment.what)]) await runAndClear(typed);
    const playRound = async (round: number): Promise<ReadonlyMap<string, number>> => {
      if (round % 10 === 0) say(`Round ${round + 1} of ${rounds}`);
      const played = new Map<string, number>();
      for (const typed of round % 2 === 0 ? commands : [...commands].reverse()) {
        played.set(typed.name, await runAndClear(typed));
      }
      return played;
    };
    const played = [await playRound(0)];
    while (played.length < rounds) {
      const round = await missing.attempt(`Of ${rounds} rounds only ${played.length} could be measured`, () =>
        playRound(played.length),
      );
      if (round === null) break;
      played.push(round);
    }
    await missing.attempt('It was not seen that nothing was left at the end', async () => {
      // In each round one by `lease` and one by `run`, as many once before, and the one that was proved.
      await untilListed(leases, 2 * (played.length + 1) + 1, { state: 'revoked', holder: `token:${TOKEN}` });
      await load({ total: listed, concurrency: AT_ONCE, signal }, async (index) => {
        await leases.revoke(listedIds[index] ?? '', { wait: true });
      });
      await untilRoles(provider, deployment.rolePrefix, 0);
      await untilRoles(provider, openbao.rolePrefix, 0);
    });
    const runs = new Map(
      commands.map(({ name }) => [name, played.map((round) => round.get(name) ?? Number.NaN)] as const),
    );
    return {
      tables: cliTables(runs),
      plots: [],
      notes: NOTES,
      missing: missing.sentences,
      data: Object.fromEntries(runs),
    };
  }, missing.noteUnstopped);
}

const NOTES = [
  'Each command ran once before, so that its files were in memory. Within a round all commands ran once, one after the other, and the order turned round each time. Measured from the start of the process to its end.',
  'The command line of OpenBao is its own program, not the script with which PyPI starts it. It leases with bao read, and leaves the lease behind as leasehold lease does; leasehold run also revokes what it has leased, which is accepted before it ends and confirmed afterwards.',
];

/** Waits until the provider has exactly so many roles: run does not wait for its revoke. */
async function untilRoles(provider: Provider, prefix: string, wanted: number): Promise<void> {
  const until = Date.now() + SEEN_WITHIN_MS;
  for (;;) {
    const there = await provider.countRoles(prefix);
    if (there === wanted) return;
    if (Date.now() > until) throw new Error(`The provider must have ${wanted} roles of ${prefix} and has ${there}.`);
    await pause(20);
  }
}

/** Waits until the index has exactly so many. */
async function untilListed(
  leases: ConnectedLeases,
  wanted: number,
  filter: Parameters<ConnectedLeases['list']>[0],
): Promise<void> {
  const until = Date.now() + SEEN_WITHIN_MS;
  for (;;) {
    const found = [];
    for await (const lease of leases.list(filter)) found.push(lease);
    if (found.length === wanted) return;
    if (Date.now() > until)
      throw new Error(`There must be ${wanted} leases ${JSON.stringify(filter)}, not ${found.length}.`);
    await pause(200);
  }
}
