import { setTimeout as sleep } from 'node:timers/promises';
import { INTEGRATIONS } from './plan-types';
import type { Recorder } from './trace';
import type { Holding, Holdings } from './holdings';
import type { World } from './world-types';

export interface ObserveOptions {
  readonly world: Pick<World, 'entities' | 'use'>;
  readonly recorder: Pick<Recorder, 'snapshot' | 'use'>;
  readonly holdings: Pick<Holdings, 'holdings'>;
  /** From the end of one look to the next. */
  readonly everyMs?: number;
  /** Credentials used with each look: so many of those that should work, and one of those that should not any more. */
  readonly uses?: number;
}

export interface Observer {
  /** Looks once more, now. */
  look(): Promise<void>;
  /** Ends once the look that is under way has ended. Rejects if looking had failed: a run that was not seen proves nothing. */
  stop(): Promise<void>;
}

/** How many of the newest holdings are chosen among, so that a look costs the same at the end of a long run as at its start. */
const CHOSEN_AMONG = 600;

/** Looks at what the providers hold, and whether delivered credentials work, until it is stopped. */
export function startObserver(options: ObserveOptions): Observer {
  const { everyMs = 1_500 } = options;
  const ended = new AbortController();
  const choose = createChoice(options.uses ?? 3);
  let last: Promise<void> = Promise.resolve();

  const look = (): Promise<void> => {
    last = last.then(() => lookOnce(options, choose));
    return last;
  };
  const watch = (async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await look();
      await sleep(everyMs, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  })();
  // It is told by `stop`, and must not end the process before.
  watch.catch(() => undefined);

  return {
    look,
    stop: async () => {
      ended.abort();
      await watch;
      await last;
    },
  };
}

async function lookOnce(
  { world, recorder, holdings }: ObserveOptions,
  choose: (holdings: readonly Holding[]) => readonly Holding[],
): Promise<void> {
  const startedAt = Date.now();
  const lists = await Promise.all(INTEGRATIONS.map((integration) => world.entities(integration)));
  recorder.snapshot({ startedAt, endedAt: Date.now(), entities: lists.flat() });
  for (const { leaseId, integration, credential } of choose(holdings.holdings)) {
    const asked = Date.now();
    const answer = await world.use(integration, credential);
    recorder.use({ leaseId, startedAt: asked, endedAt: Date.now(), answer });
  }
}

/** In turn rather than by chance, so that each credential has the same prospect of being tried in the middle and at its end. */
function createChoice(uses: number): (holdings: readonly Holding[]) => readonly Holding[] {
  let turn = 0;
  return (holdings) => {
    const now = Date.now();
    const newest = holdings.slice(-CHOSEN_AMONG);
    const live = newest.filter(({ worksUntil }) => worksUntil > now);
    const dead = newest.filter(({ worksUntil }) => worksUntil <= now);
    const inTurn = (among: readonly Holding[], count: number): Holding[] =>
      Array.from({ length: Math.min(count, among.length) }, () => among[(turn += 7) % among.length]!);
    return [...new Set([...inTurn(live, uses), ...inTurn(dead, 1)])];
  };
}
