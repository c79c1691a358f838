import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '../client/bounds';
import type { ConnectedLeases } from '../client/temporal';
import type { Bench, BenchContext, Findings, Size } from './bench';
import { createCommands, proveRun, TYPED } from './cli/commands';
import { runOnce } from './cli/run-once';
import { cliTables } from './cli/tables';
import { startDeployment } from './deployment';
import { TOKEN } from './deployment-config';
import { load } from './load';
import { startOpenBao } from './openbao';
import type { OpenBao } from './openbao';
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
/** How many are ended at once, when all is measured. */
const ENDED_AT_ONCE = 10;
/** How far Temporal's index may lag. */
const INDEXED_WITHIN_MS = 20_000;

export const cli: Bench = {
  name: 'cli',
  about: 'cold start of the command line and what run adds to a program, beside the command line of OpenBao',
  run,
};

async function run({ size, say, directory, tools, signal }: BenchContext): Promise<Findings> {
  const { rounds, listed } = AMOUNTS[size];
  return withOpened(async (open) => {
    const home = join(directory, 'home');
    await mkdir(home);
    const provider = await open(startProvider(directory), (opened) => opened.stop());
    const deployment = await open(startDeployment({ directory, tools, provider }), (opened) => opened.stop());
    const openbao = await open(startOpenBao({ binary: tools.bao, directory, provider, ttl: TTL }), (opened) =>
      opened.stop(),
    );
    const leases = await open(deployment.connect(), (opened) => opened.close());
    const ours: string[] = [];
    const theirs: string[] = [];
    await load({ total: listed, concurrency: ENDED_AT_ONCE, signal }, async () => {
      ours.push((await leases.issue({ ...deployment.what, holder: 'bench', ttl: TTL })).leaseId);
    });
    await untilListed(leases, listed, { state: 'active' });
    const commands = createCommands({
      deployment,
      openbao,
      bao: tools.bao,
      home,
      listed,
      onLeased: (leaseId) => ours.push(leaseId),
      onBaoLeased: (leaseId) => theirs.push(leaseId),
    });
    // Files are read from the disk the first time.
    for (const typed of [...commands, proveRun(commands, deployment.what)]) await runOnce(typed, signal);
    const runs = new Map(commands.map(({ name }): [string, number[]] => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      if (round % 10 === 0) say(`Round ${round + 1} of ${rounds}`);
      for (const typed of round % 2 === 0 ? commands : [...commands].reverse()) {
        runs.get(typed.name)?.push((await runOnce(typed, signal)).ms);
      }
    }
    // Each round, once before, and the one that was proved.
    await untilListed(leases, rounds + 2, { state: 'revoked', holder: `token:${TOKEN}` });
    await verify(provider, deployment.rolePrefix, ours.length, TYPED.lease);
    await verify(provider, openbao.rolePrefix, theirs.length, TYPED.baoRead);
    await endAll(leases, ours, openbao, theirs, signal);
    await verify(provider, deployment.rolePrefix, 0, TYPED.lease);
    await verify(provider, openbao.rolePrefix, 0, TYPED.baoRead);
    return { tables: cliTables(runs), plots: [], notes: NOTES, data: Object.fromEntries(runs) };
  });
}

const NOTES = [
  'Each command ran once before, so that its files were in memory. Within a round all commands ran once, one after the other, and the order turned round each time. Measured from the start of the process to its end.',
  'The command line of OpenBao is its own program, not the script with which PyPI starts it. It leases with bao read, and leaves the lease behind as leasehold lease does; leasehold run also revokes what it has leased.',
];

/** @throws Error unless the provider has so many roles. */
async function verify(provider: Provider, prefix: string, wanted: number, name: string): Promise<void> {
  const there = await provider.countRoles(prefix);
  if (there !== wanted) throw new Error(`After ${name} the provider must have ${wanted} roles and has ${there}.`);
}

/** Waits until the index has exactly so many. */
async function untilListed(
  leases: ConnectedLeases,
  wanted: number,
  filter: Parameters<ConnectedLeases['list']>[0],
): Promise<void> {
  const until = Date.now() + INDEXED_WITHIN_MS;
  for (;;) {
    let found = 0;
    for await (const _ of leases.list(filter)) found += 1;
    if (found === wanted) return;
    if (Date.now() > until) throw new Error(`There must be ${wanted} leases ${JSON.stringify(filter)}, not ${found}.`);
    await pause(200);
  }
}

async function endAll(
  leases: ConnectedLeases,
  ours: readonly string[],
  openbao: OpenBao,
  theirs: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await load({ total: ours.length, concurrency: ENDED_AT_ONCE, signal }, async (index) => {
    await leases.revoke(ours[index] ?? '', { wait: true });
  });
  await load({ total: theirs.length, concurrency: ENDED_AT_ONCE, signal }, async (index) => {
    await openbao.revoke(theirs[index] ?? '');
  });
}
