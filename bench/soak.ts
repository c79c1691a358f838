import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchContext, Findings, Size } from './bench';
import { startDeployment } from './deployment';
import type { Deployment } from './deployment';
import { collectMissing } from './missing';
import type { Missing } from './missing';
import { withOpened } from './opened';
import { startProvider } from './provider';
import type { Provider } from './provider';
import { LeaseLeft, openLedger, PATIENCE_MS } from './soak-ledger';
import type { Ledger } from './soak-ledger';
import { beginDeeds, playLives } from './soak-play';
import type { Deeds, PlayOptions } from './soak-play';
import { flatnessOf, issuesOf, shortcomingsOf, soakNotes, soakPlots, soakTables } from './soak-report';
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
  const { directory, tools } = context;
  const missing = collectMissing(context);
  return withOpened(async (open) => {
    const provider = await open(startProvider(directory), (opened) => opened.stop());
    const deployment = await open(startDeployment({ directory, tools, provider }), (opened) => opened.stop());
    const library = await open(deployment.connect(), (opened) => opened.close());
    const http = await open(deployment.connectHttp(), (opened) => opened.close());
    const { what } = deployment;
    const issue: PlayOptions['issue'] = {
      library: (ttl) => library.issue({ ...what, holder: HOLDER, ttl }),
      http: (ttl) => http.issue({ ...what, ttl }),
    };
    return watchAll(context, { provider, deployment, issue }, missing);
  }, missing.noteUnstopped);
}

interface Setting {
  readonly provider: Provider;
  readonly deployment: Deployment;
  readonly issue: PlayOptions['issue'];
}

async function watchAll(
  { size: named, say, signal }: BenchContext,
  { provider, deployment, issue }: Setting,
  missing: Missing,
): Promise<Findings> {
  const { minutes, perSecond, sampleEveryMs, saidEvery } = SIZES[named];
  const deeds = beginDeeds();
  const ledger = openLedger();
  const samples: Sample[] = [];
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  // Each lease listens to it while it waits.
  setMaxListeners(0, stop);
  const until = performance.now() + minutes * 60_000;
  say(
    `For ${minutes} min ${perSecond} leases are begun a second; memory and handles are read every ${sampleEveryMs / 1_000} s.`,
  );
  let isPlayed = false;
  const play = async (): Promise<void> => {
    await playLives({ issue, ledger, deeds, perSecond, until, signal: stop });
    isPlayed = true;
  };
  const keep = (sample: Sample): void => {
    samples.push(sample);
    if (samples.length % saidEvery === 0) say(sampleLine(sample, ledger.open()));
  };
  await missing.attempt('The soak ended before its time, or not as it must', () =>
    endTogether(failed, [
      play(),
      sampleUntil(deployment, { until, everyMs: sampleEveryMs, signal: stop }, keep),
      lookUntilGone(provider, deployment.rolePrefix, ledger, () => isPlayed, stop),
    ]),
  );
  const isWhole = missing.sentences.length === 0;
  if (samples.length < 2) throw new Error(missing.sentences.join('\n'));
  for (const sentence of shortcomingsOf(deeds)) missing.note(sentence);
  return report(named, samples, deeds, { missing: missing.sentences, isWhole });
}

/** The first of them that fails ends the others; what it failed of is thrown. */
async function endTogether(failed: AbortController, tasks: readonly Promise<void>[]): Promise<void> {
  for (const task of tasks) {
    task.catch((error: unknown) => {
      failed.abort(error);
    });
  }
  await Promise.allSettled(tasks);
  failed.signal.throwIfAborted();
}

interface Sampling {
  readonly until: number;
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

async function sampleUntil(
  deployment: Deployment,
  { until, everyMs, signal }: Sampling,
  keep: (sample: Sample) => void,
): Promise<void> {
  const began = performance.now();
  for (let due = began; due <= until; due += everyMs) {
    await sleep(Math.max(0, due - performance.now()), undefined, { signal });
    keep(await takeSample(deployment, performance.now() - began));
  }
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

interface Ended {
  readonly missing: readonly string[];
  /** Whether it went on to its end, and all that it looked at was as it must be. */
  readonly isWhole: boolean;
}

function report(named: Size, samples: readonly Sample[], deeds: Deeds, { missing, isWhole }: Ended): Findings {
  const { minutes, perSecond } = SIZES[named];
  const ranMs = isWhole ? minutes * 60_000 : (samples.at(-1)?.atMs ?? 0);
  return {
    tables: soakTables(samples, deeds),
    plots: soakPlots(samples),
    notes: [
      ...soakNotes(deeds, ranMs, perSecond),
      'Half of the leases are issued through the library and half through HTTP, with TTLs from 8 s to 30 s; a third is extended once, half is ' +
        'revoked, the rest expires.',
      ...(isWhole
        ? [
            `Every ${LOOK_EVERY_MS / 1_000} s the roles at PostgreSQL were held against the leases: at no look was one gone before its lease ` +
              `might end, or still there ${PATIENCE_MS / 1_000} s after that, and at the end there were none.`,
          ]
        : []),
    ],
    missing,
    data: {
      size: SIZES[named],
      samples,
      flatness: flatnessOf(samples),
      deeds: { ...deeds, issues: issuesOf(deeds) },
    },
  };
}
