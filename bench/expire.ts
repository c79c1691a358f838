import { availableParallelism, cpus } from 'node:os';
import type { Bench, BenchContext, Findings, Size } from './bench';
import { ROOMY_LIMITS } from './deployment';
import { collectMissing } from './missing';
import type { Missing } from './missing';
import { OPENBAO_SOURCE } from './openbao';
import { withOpened } from './opened';
import { startProvider } from './provider';
import type { Provider } from './provider';
import { onCores } from './expire/cores';
import { connectLeasehold } from './expire/leasehold-party';
import { openParties } from './expire/parties';
import type { CpuSeconds, Party } from './expire/party';
import {
  coresTable,
  cpuTable,
  lagTable,
  latencyTable,
  limitOf,
  livePlot,
  loadTable,
  WHOLE_MACHINE,
} from './expire/report';
import { treeCpuSeconds } from './expire/tree-cpu';
import { runWave } from './expire/wave';
import type { Wave, WaveSize } from './expire/wave';

/** All that makes a size. */
const SIZES: Readonly<Record<Size, ExpireSize>> = {
  quick: {
    rounds: 2,
    wave: {
      total: 100,
      concurrency: 25,
      warmUp: 20,
      room: 2,
      leastMs: 8_000,
      quietMs: 4_000,
      lookEveryMs: 250,
      callEveryMs: 500,
      patienceMs: 60_000,
    },
    large: { total: 150 },
  },
  full: {
    rounds: 2,
    wave: {
      total: 3_000,
      concurrency: 50,
      warmUp: 200,
      room: 1.5,
      // OpenBao is quick, and slower towards the end of them than at the beginning.
      leastMs: 30_000,
      quietMs: 20_000,
      lookEveryMs: 250,
      callEveryMs: 500,
      patienceMs: 15 * 60_000,
    },
    // It takes long, and is played last. So many roles of one orchestrator would slow PostgreSQL down: they are of several.
    large: { total: 20_000, patienceMs: 40 * 60_000, lookEveryMs: 500 },
  },
};

interface ExpireSize {
  /** In each both parties have one wave. The order alternates. */
  readonly rounds: number;
  readonly wave: WaveSize;
  /** What is different in one more wave, of Leasehold alone. */
  readonly large: Partial<WaveSize>;
}

/** What the waves of both parties on all cores are compared with. */
const FEW_CORES = 1;
/** To PostgreSQL: of OpenBao for everything, of Leasehold for removals, for issuing and for upkeep each. */
const CONNECTIONS = 20;
/** Beside the one that both parties share, for the largest wave. */
const MORE_ORCHESTRATORS = 4;
/** Of leases that are revoked when the figures are taken. */
const OPENBAO_TTL = '6h';

export const expire: Bench = {
  name: 'expire',
  about: 'thousands of leases with the same expiry: how soon after it they are gone at the provider, beside OpenBao',
  run,
};

async function run(context: BenchContext): Promise<Findings> {
  const { directory, tools, size } = context;
  const missing = collectMissing(context);
  return withOpened(async (open) => {
    const provider = await open(startProvider(directory), (opened) => opened.stop());
    const { deployment, ...parties } = await openParties(open, {
      directory,
      tools,
      provider,
      ttl: OPENBAO_TTL,
      connections: CONNECTIONS,
      orchestrators: [provider.orchestrator, ...(await provider.addOrchestrators(MORE_ORCHESTRATORS))],
    });
    const wide = await open(connectLeasehold(deployment, deployment.integrations), (opened) => opened.close());
    const measured = await measure(context, { provider, ...parties, wide }, missing);
    return { ...report(measured, size), missing: missing.sentences };
  }, missing.noteUnstopped);
}

interface Setting {
  readonly provider: Provider;
  readonly leasehold: Party;
  readonly bao: Party;
  /** Leasehold, leasing from all of its integrations. */
  readonly wide: Party;
}

interface Measured {
  readonly compared: readonly Wave[];
  /** One of each party, of the same size, with all processes on one core. */
  readonly confined: readonly Wave[];
  readonly large: Wave | null;
}

/**
 * Never both parties at the same time. A wave that fails, or leaves roles behind, is the last one: what is left of it would go on in
 * those after it.
 * @throws what the first one failed of: then nothing was measured.
 */
async function measure(context: BenchContext, setting: Setting, missing: Missing): Promise<Measured> {
  const { signal, say } = context;
  const { provider, leasehold, bao, wide } = setting;
  const { rounds, wave: size, large: larger } = SIZES[context.size];
  const otherCpuSeconds = async (): Promise<CpuSeconds> => ({
    postgresql: await treeCpuSeconds(provider.server.pid),
    'this bench': ownCpuSeconds(),
    [WHOLE_MACHINE]: machineCpuSeconds(),
  });
  const play = async ({ party, of, cores }: Turn): Promise<Wave> => {
    const run = (): Promise<Wave> => runWave({ party, provider, otherCpuSeconds, size: of, signal, say });
    const wave = cores === null ? await run() : await onCores(cores, run);
    for (const sentence of wave.shortcomings) missing.note(sentence);
    return wave;
  };
  const turns: readonly Turn[] = Array.from({ length: rounds }, (_, round) =>
    (round % 2 === 0 ? [leasehold, bao] : [bao, leasehold]).map((party) => ({ party, of: size, cores: null })),
  ).flat();
  const few: readonly Turn[] =
    availableParallelism() > FEW_CORES ? [leasehold, bao].map((party) => ({ party, of: size, cores: FEW_CORES })) : [];
  const last: readonly Turn[] = [{ party: wide, of: { ...size, ...larger }, cores: null }];
  const all = [...turns, ...few, ...last];
  const waves: Wave[] = [];
  for (const [nth, turn] of all.entries()) {
    const lost = `Of ${all.length} waves only ${nth} could be measured`;
    const wave = nth === 0 ? await play(turn) : await missing.attempt(lost, () => play(turn));
    if (wave === null) break;
    waves.push(wave);
    if (wave.left > 0 && nth < all.length - 1) {
      missing.note(
        `Of ${all.length} waves only ${nth + 1} were measured: what the last one left would disturb the next.`,
      );
      break;
    }
  }
  const large = turns.length + few.length;
  return {
    compared: waves.slice(0, turns.length),
    confined: waves.slice(turns.length, large),
    large: waves[large] ?? null,
  };
}

interface Turn {
  readonly party: Party;
  readonly of: WaveSize;
  /** All processes share so many; null: what there are. */
  readonly cores: number | null;
}

function report({ compared, confined, large }: Measured, size: Size): Findings {
  const { total, lookEveryMs, callEveryMs } = SIZES[size].wave;
  const largePause = SIZES[size].large.lookEveryMs;
  const title = `${total} credentials that expire at the same instant`;
  const all = [...compared, ...confined, ...(large === null ? [] : [large])];
  const { callsPerSecond, deprovisions } = ROOMY_LIMITS;
  const limits = {
    Leasehold: `${CONNECTIONS} connections, ${deprovisions} removals at once, ${callsPerSecond} calls/s, for removing alone`,
    OpenBao: `${CONNECTIONS} connections`,
  };
  return {
    tables: [
      lagTable(title, compared),
      ...(confined.length === 0
        ? []
        : [lagTable(`${title}, all processes on one core`, confined), coresTable(confined, compared)]),
      ...(large === null ? [] : [lagTable(`${large.total} leases that expire at the same instant`, [large])]),
      loadTable(all, limits),
      latencyTable(all),
      cpuTable(all),
    ],
    plots: [
      livePlot('expire', title, compared),
      ...(large === null
        ? []
        : [livePlot('expire-large', `${large.total} leases that expire at the same instant`, [large])]),
    ],
    notes: [
      `A credential is gone when PostgreSQL has no such role any more, as seen every ${lookEveryMs} ms${largePause === undefined ? '' : `, in the largest wave every ${largePause} ms`}. No look, the last of them just before the first expiry, found one gone, or shut, too early.`,
      "Leasehold tells each lease's expiry; of OpenBao's it is known that it lies between question and answer, and the later instant is counted: up to the time of one issue in its favour.",
      'Both give TTLs in whole seconds that count from the end of the issue, so that the expiries are spread over a second and the time of one issue.',
      `OpenBao's plugin for PostgreSQL removes one role at a time, under a lock, whatever the number of connections (internal/builtin/database/postgresql/postgresql.go, DeleteUser; ${OPENBAO_SOURCE}).`,
      `The question is not the same: Leasehold lists leases, for which Temporal asks its index; OpenBao tells its health, for which it asks nothing. "during / before" compares each with itself alone. A call counts from the instant at which it was due, also when the one before it was late.`,
      ...(large === null
        ? []
        : [
            `The largest wave leases by turns from ${MORE_ORCHESTRATORS + 1} integrations with an orchestrator each, the others from one.`,
          ]),
      `Meanwhile one caller issued and one asked, each every ${callEveryMs} ms; their work is in all figures of load and CPU, and so are a few transactions of the watch itself.`,
      ...all.map((wave) => limitOf(wave)).filter((note) => note !== null),
    ],
    data: all,
  };
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

function machineCpuSeconds(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1_000;
}
