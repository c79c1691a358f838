import { apportion } from './apportion';
import { CALL_FAULTS, INTEGRATIONS, PROCESSES } from './plan-types';
import type { Fault, Moment, Size } from './plan-types';
import { spread } from './plan-operations';
import { randomOf } from './random';
import type { Random } from './random';

const WEIGHTS: Readonly<Record<Fault['do'], number>> = {
  call: 50,
  'provider-down': 6,
  'provider-slow': 4.5,
  'provider-throttling': 4.5,
  kill: 10,
  stop: 8,
  restart: 4,
  'stop-at-call': 5,
  'kill-at-call': 3,
  clock: 2,
  'temporal-kill': 1.5,
  'temporal-stop': 1.5,
};

/** The first leases are made undisturbed, so that there is something to disturb. */
const FIRST_FAULT_MS = 3_000;
/** What a process takes to start and to be met by another fault with sense. */
const START_MS = 4_000;
/** Longer than the heartbeat time-out of the world, so that another attempt begins meanwhile. */
const SHORTEST_STOP_MS = 5_000;
/** Below the 8 s that a call to a provider may take in the world. */
const LONGEST_ZOMBIE_MS = 7_000;
const CLOCK_OFF_MS = 10 * 60_000;

/** How much each kind weighs, where that differs from what is usual. */
export type Weights = Partial<Record<Fault['do'], number>>;

export function faultMoments(size: Size, weights: Weights = {}): readonly Moment[] {
  const random = randomOf(size.seed, 'faults');
  const kinds = random.shuffled(apportion(size.faults, { ...WEIGHTS, ...weights }));
  const calls = random.shuffled(
    apportion(
      kinds.filter((kind) => kind === 'call').length,
      Object.fromEntries(CALL_FAULTS.map((kind) => [kind, 1])) as Record<(typeof CALL_FAULTS)[number], number>,
    ),
  );
  const longestMs = Math.min(14_000, Math.max(7_000, size.durationMs / 10));
  const free = createFree(random);
  let call = 0;
  return kinds.map((kind, index) => {
    const atMs = spread(random, index, kinds.length, Math.min(FIRST_FAULT_MS, size.durationMs), size.durationMs);
    const span = (shortestMs: number): number => Math.round(random.between(shortestMs, longestMs));
    if (kind === 'call') {
      const fault: Fault = {
        do: 'call',
        integration: random.oneOf(INTEGRATIONS),
        kind: calls[call++]!,
        mutating: random.chance(0.7),
        times: random.chance(0.25) ? random.whole(2, 4) : 1,
      };
      return { atMs, fault };
    }
    return { atMs, fault: draw(kind, { atMs, span, random, free }) };
  });
}

interface Draw {
  readonly atMs: number;
  readonly span: (shortestMs: number) => number;
  readonly random: Random;
  readonly free: Free;
}

function draw(kind: Exclude<Fault['do'], 'call'>, { atMs, span, random, free }: Draw): Fault {
  const worker = (): 'worker-1' | 'worker-2' => random.oneOf(['worker-1', 'worker-2']);
  const phase = random.oneOf(['before', 'after'] as const);
  const integration = random.oneOf(INTEGRATIONS);
  switch (kind) {
    case 'kill': {
      const downMs = span(2_000);
      return { do: kind, process: free(PROCESSES, atMs, downMs + START_MS), downMs };
    }
    case 'restart':
      return { do: kind, process: free(PROCESSES, atMs, 2 * START_MS) };
    case 'stop': {
      const forMs = span(SHORTEST_STOP_MS);
      return { do: kind, process: free(PROCESSES, atMs, forMs), forMs };
    }
    case 'clock': {
      const forMs = 2 * span(SHORTEST_STOP_MS);
      const offsetMs = random.oneOf([-CLOCK_OFF_MS, CLOCK_OFF_MS]);
      return { do: kind, process: free(PROCESSES, atMs, forMs + START_MS), offsetMs, forMs };
    }
    case 'stop-at-call':
      return { do: kind, process: worker(), integration, phase, forMs: zombieMs(random, span) };
    case 'kill-at-call':
      return { do: kind, process: worker(), integration, phase };
    case 'temporal-kill':
      return { do: kind, downMs: span(2_000) };
    case 'temporal-stop':
      return { do: kind, forMs: span(SHORTEST_STOP_MS) };
    case 'provider-down': {
      // Long enough for a removal to count as stuck.
      const forMs = span(6_000);
      return { do: kind, integration: free(INTEGRATIONS, atMs, forMs), forMs };
    }
    case 'provider-slow': {
      const forMs = span(3_000);
      const delayMs = random.whole(300, 2_500);
      return { do: kind, integration: free(INTEGRATIONS, atMs, forMs), delayMs, forMs };
    }
    case 'provider-throttling': {
      const forMs = span(3_000);
      return { do: kind, integration: free(INTEGRATIONS, atMs, forMs), forMs };
    }
  }
}

/** Mostly so short that the call itself has not timed out when the attempt wakes, which then goes on as if nothing had been. */
function zombieMs(random: Random, span: Draw['span']): number {
  return random.chance(0.75) ? random.whole(SHORTEST_STOP_MS, LONGEST_ZOMBIE_MS) : span(SHORTEST_STOP_MS);
}

/** One that no other fault has at that time, if there is any, which it then has for so long. */
type Free = <T extends string>(choices: readonly T[], atMs: number, forMs: number) => T;

function createFree(random: Random): Free {
  const until = new Map<string, number>();
  return (choices, atMs, forMs) => {
    const free = choices.filter((choice) => (until.get(choice) ?? 0) <= atMs);
    const chosen = random.oneOf(free.length === 0 ? choices : free);
    until.set(chosen, atMs + forMs);
    return chosen;
  };
}
