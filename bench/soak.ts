import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchContext, Findings, Size } from './bench';
import { startDeployment } from './deployment';
import type { Deployment } from './deployment';
import { startProvider } from './provider';
import type { Provider } from './provider';
import { LeaseLeft, openLedger } from './soak-ledger';
import type { Ledger } from './soak-ledger';
import { beginDeeds, playLives } from './soak-play';
import type { Deeds, PlayOptions } from './soak-play';
import { flatnessOf, issuesOf, soakNotes, soakPlots, soakTables } from './soak-report';
import { sampleLine, takeSample } from './soak-samples';
import type { Sample } from './soak-samples';

interface SoakSize {
  readonly minutes: number;
  /** Leases that are begun. */
  readonly perSecond: number;
  readonly sampleEveryMs: number;
  /** Every so many samples it is said how far it is. */
  readonly saidEvery: number;
}

const SIZES: Readonly<Record<Size, SoakSize>> = {
  quick: { minutes: 1, perSecond: 5, sampleEveryMs: 3_000, saidEvery: 5 },
  full: { minutes: 60, perSecond: 10, sampleEveryMs: 10_000, saidEvery: 6 },
};

/** So often the provider's roles are held against the leases: several times in the shortest life of one. */
const LOOK_EVERY_MS = 2_000;
/** After nothing more is done to any lease: a TTL, and a removal that takes long. */
const ENDED_WITHIN_MS = 180_000;
const HOLDER = 'bench';

/** Whether memory and handles stay flat while leases come and go. */
export const soak: Bench = {
  name: 'soak',
  about: 'memory and handles of all processes while leases are issued, extended, revoked and expire',
  run,
};

async function run(context: BenchContext): Promise<Findings> {
  const provider = await startProvider(context.directory);
  try {
    const deployment = await startDeployment({ directory: context.directory, tools: context.tools, provider });
    try {
      return await connectAndSoak(context, provider, deployment);
    } finally {
      await deployment.stop();
    }
  } finally {
    await provider.stop();
  }
}

async function connectAndSoak(context: BenchContext, provider: Provider, deployment: Deployment): Promise<Findings> {
  const { what } = deployment;
  const library = await deployment.connect();
  try {
    const http = await deployment.connectHttp();
    return await watchAll(context, provider, deployment, {
      library: (ttl) => library.issue({ ...what, holder: HOLDER, ttl }),
      http: (ttl) => http.issue({ ...what, ttl }),
    });
  } finally {
    await library.close();
  }
}

async function watchAll(
  { size: named, say, signal }: BenchContext,
  provider: Provider,
  deployment: Deployment,
  issue: PlayOptions['issue'],
): Promise<Findings> {
  const size = SIZES[named];
  const { minutes, perSecond, sampleEveryMs, saidEvery } = size;
  const deeds = beginDeeds();
  const ledger = openLedger();
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  // Each lease listens to it while it waits.
  setMaxListeners(0, stop);
  const until = performance.now() + minutes * 60_000;
  say(
    `For ${minutes} min ${perSecond} leases are begun a second; memory and handles are read every ${sampleEveryMs / 1_000} s.`,
  );
  let isPlayed = false;
  const play = async (): Promise<number> => {
    const begun = await playLives({ issue, ledger, deeds, perSecond, until, signal: stop });
    isPlayed = true;
    return begun;
  };
  const tell = (samples: readonly Sample[], sample: Sample): void => {
    if (samples.length % saidEvery === 0) say(sampleLine(sample, ledger.open()));
  };
  const [begun, samples] = await endTogether(
    failed,
    play(),
    sampleUntil(deployment, { until, everyMs: sampleEveryMs, signal: stop }, tell),
    lookUntilGone(provider, deployment.rolePrefix, ledger, () => isPlayed, stop),
  );
  return report(named, samples, deeds, begun);
}

/** The first of them that fails ends the others; what it failed of is thrown. */
async function endTogether<A, B>(
  failed: AbortController,
  playing: Promise<A>,
  sampling: Promise<B>,
  looking: Promise<void>,
): Promise<readonly [A, B]> {
  const all = [playing, sampling, looking] as const;
  for (const task of all) {
    task.catch((error: unknown) => {
      failed.abort(error);
    });
  }
  await Promise.allSettled(all);
  failed.signal.throwIfAborted();
  return [await playing, await sampling];
}

interface Sampling {
  readonly until: number;
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

async function sampleUntil(
  deployment: Deployment,
  { until, everyMs, signal }: Sampling,
  tell: (samples: readonly Sample[], sample: Sample) => void,
): Promise<readonly Sample[]> {
  const began = performance.now();
  const samples: Sample[] = [];
  for (let due = began; due <= until; due += everyMs) {
    await sleep(Math.max(0, due - performance.now()), undefined, { signal });
    const sample = await takeSample(deployment, performance.now() - began);
    samples.push(sample);
    tell(samples, sample);
  }
  return samples;
}

/** @throws LeaseLost, LeaseLeft */
async function lookUntilGone(
  provider: Provider,
  prefix: string,
  ledger: Ledger,
  isPlayed: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  let until = Infinity;
  for (;;) {
    // Asked first: what is done while the provider answers is not missed.
    const isOver = isPlayed();
    const began = Date.now();
    const listed = await provider.listRoles(prefix);
    ledger.compare(listed, began, Date.now());
    if (isOver) {
      if (listed.length === 0 && ledger.open() === 0) return;
      until = Math.min(until, performance.now() + ENDED_WITHIN_MS);
    }
    if (performance.now() > until) {
      throw new LeaseLeft(
        `${listed.length} roles are left ${ENDED_WITHIN_MS / 1_000} s after the last lease was begun or revoked.`,
      );
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

function report(named: Size, samples: readonly Sample[], deeds: Deeds, begun: number): Findings {
  const { minutes } = SIZES[named];
  return {
    tables: soakTables(samples, deeds),
    plots: soakPlots(samples),
    notes: [
      ...soakNotes(deeds, begun, minutes),
      'Half of the leases are issued through the library and half through HTTP, with TTLs from 8 s to 30 s; a third is extended once, half is ' +
        'revoked, the rest expires.',
      `Every ${LOOK_EVERY_MS / 1_000} s the roles at PostgreSQL were held against the leases: none was gone before the end of its lease, none ` +
        'was left after it, and at the end there were none.',
    ],
    data: {
      size: SIZES[named],
      begun,
      samples,
      flatness: flatnessOf(samples),
      deeds: { ...deeds, issues: issuesOf(deeds) },
    },
  };
}
