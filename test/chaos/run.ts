import { cp, lstat } from 'node:fs/promises';
import { createActor } from './actor';
import { collect } from './collect';
import { createHoldings } from './holdings';
import { startObserver } from './observe';
import { perform } from './operations';
import { makePlan } from './plan';
import type { Plan, Size } from './plan-types';
import { play } from './play';
import type { Playing } from './play';
import { createRecorder } from './recorder';
import { settle } from './settle';
import type { Trace } from './trace';
import { openWorld } from './world';
import type { Break, WorldOptions } from './world-types';

export interface ChaosOptions extends Pick<WorldOptions, 'tools'> {
  /** Which part of the worker is broken on purpose. Default: none. */
  readonly broken?: Break | null;
  /** Default: the plan of the size. */
  readonly plan?: Plan;
  /** Beyond the longest TTL, how long is waited at the end for the last lease and the last entity. */
  readonly patienceMs?: number;
  /** Histories that are replayed at the end. */
  readonly replays?: number;
  /** Where the logs, the audit files and Temporal's database are left; null: nowhere. */
  readonly keep?: string | null;
  /** How far it is, for people. */
  readonly say?: (line: string) => void;
}

const PATIENCE_MS = 120_000;
const REPLAYS = 200;
const SAY_EVERY_MS = 20_000;
/** Later than this it is not the plan any more that was played. */
const LATE_MS = 5_000;

/** Plays a plan in a world of its own, has everything heal and settle, and answers what was seen. Nothing is judged here. */
export async function runChaos(size: Size, options: ChaosOptions = {}): Promise<Trace> {
  const { broken = null, tools, say = () => undefined } = options;
  const recorder = createRecorder(size);
  const plan = options.plan ?? makePlan(size);
  const world = await openWorld({
    broken,
    onDeed: (deed) => {
      recorder.deed(deed);
    },
    onCrash: (process, how) => {
      say(`${process} ${how}`);
      recorder.crash(process, how);
    },
    ...(tools === undefined ? {} : { tools }),
  });
  try {
    const holdings = createHoldings();
    const observer = startObserver({ world, recorder, holdings });
    const actor = createActor(world, recorder, holdings);
    const startedAt = Date.now();
    const counts = { leases: 0, refused: 0, faults: 0, hit: 0 };
    const playing = play(plan, {
      perform: async (operation) => {
        const at = Date.now();
        const isDone = await perform(actor, operation);
        if (isDone) recorder.operation(operation, at);
        return isDone;
      },
      inject: async (fault) => {
        const seen = await world.inject(fault);
        counts.faults += 1;
        counts.hit += seen.hit ? 1 : 0;
        recorder.fault(seen);
      },
    });
    const ticking = setInterval(() => {
      const seconds = Math.round((Date.now() - startedAt) / 1_000);
      say(`${seconds} s of ${Math.round(size.durationMs / 1_000)}: ${describe(playing, holdings, counts)}`);
    }, SAY_EVERY_MS);
    try {
      await playing.begun;
      await world.heal();
      const healedAt = Date.now();
      say(`healed: ${describe(playing, holdings, counts)}`);
      await playing.over();
      const left = await settle(world, { limitMs: longestTtlMs(plan) + (options.patienceMs ?? PATIENCE_MS), say });
      const settledAt = Date.now();
      clearInterval(ticking);
      for (const each of left) say(`left at the end: ${each}`);
      if (playing.latest() > LATE_MS) say(`The plan could not be kept: it was ${inSeconds(playing.latest())} late.`);
      await observer.look();
      await observer.stop();
      await world.stopPrograms();
      say(`settled ${inSeconds(settledAt - healedAt)} after all faults had ended; now everything is read`);
      const collected = await collect({ world, holdings, replays: options.replays ?? REPLAYS });
      if (options.keep != null) await keepFiles(world.directory, options.keep);
      return recorder.trace({ startedAt, healedAt, settledAt }, collected);
    } finally {
      clearInterval(ticking);
      await observer.stop().catch(() => undefined);
    }
  } finally {
    await world.close();
  }
}

/** Sockets cannot be copied, and tell nothing. */
async function keepFiles(from: string, to: string): Promise<void> {
  const filter = async (path: string): Promise<boolean> => {
    const entry = await lstat(path);
    return entry.isFile() || entry.isDirectory();
  };
  await cp(from, to, { recursive: true, filter });
}

function longestTtlMs(plan: Plan): number {
  return Math.max(
    0,
    ...plan.map(({ operation }) => (operation !== undefined && 'ttlMs' in operation ? operation.ttlMs : 0)),
  );
}

function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function describe(
  playing: Playing,
  holdings: ReturnType<typeof createHoldings>,
  { faults, hit }: { readonly faults: number; readonly hit: number },
): string {
  return (
    `${holdings.holdings.length} leases delivered, ${holdings.live().length} of them live, ${faults} faults over of which ${hit} hit, ` +
    `${playing.open()} under way, ${playing.skipped()} found no lease to work with`
  );
}
