import { setTimeout as sleep } from 'node:timers/promises';
import { load } from '../load';
import type { Provider } from '../provider';
import { verifyRoles } from './system';
import type { Issued, System } from './system';

/** One system's turn at one number of callers. */
export interface Block {
  readonly system: string;
  readonly callers: number;
  readonly round: number;
  readonly issue: Timed;
  readonly end: Timed;
  /** Per issue; null: it cannot be told on this system, or does not matter. */
  readonly cpuMs: CpuMs;
}

export interface Timed {
  readonly durations: readonly number[];
  readonly wholeMs: number;
}

/** Of each program, in milliseconds; null: not known here. */
export type Cpu = Readonly<Record<'temporal' | 'worker' | 'floor', number | null>>;

export interface CpuMs {
  readonly temporal: number | null;
  readonly worker: number | null;
}

export interface Turn {
  readonly system: System;
  readonly callers: number;
  readonly round: number;
  /** Issues that are timed. */
  readonly count: number;
}

export interface Surroundings {
  readonly provider: Provider;
  readonly signal: AbortSignal;
  /** What the programs have used so far. */
  readonly cpu: () => Promise<Cpu>;
}

/** What the turn before left to do in the background, as Temporal's index, is let come to its end. */
const SETTLE_MS = 300;

/** Warms up, issues, sees that all is there, ends all, and sees that all is gone. Only the issuing and the ending are timed. */
export async function runTurn(turn: Turn, { provider, signal, cpu }: Surroundings): Promise<Block> {
  const { system, callers, round, count } = turn;
  const issued: Issued[] = [];
  const issue = async (): Promise<void> => {
    issued.push(await system.issue());
  };
  await verifyRoles(provider, system, []);
  await load({ total: Math.max(2, callers), concurrency: callers, signal }, issue);
  await sleep(SETTLE_MS, undefined, { signal });
  const before = await cpu();
  const issuing = await load({ total: count, concurrency: callers, signal }, issue);
  const after = await cpu();
  await verifyRoles(provider, system, issued);
  const ending = await load({ total: issued.length, concurrency: callers, signal }, async (index) => {
    await issued[index]?.end();
  });
  await verifyRoles(provider, system, []);
  await sleep(SETTLE_MS, undefined, { signal });
  const perIssue = (program: keyof Cpu): number | null => {
    const [from, to] = [before[program], after[program]];
    return from === null || to === null ? null : (to - from) / count;
  };
  const cpuMs =
    system.worker === null
      ? { temporal: null, worker: null }
      : { temporal: perIssue('temporal'), worker: perIssue(system.worker) };
  return {
    system: system.name,
    callers,
    round,
    issue: issuing,
    end: ending,
    cpuMs,
  };
}

/**
 * All turns of a comparison: in each round and at each number of callers every system has one, and the order turns round each time, so
 * that none always follows the same other.
 */
export function planTurns(
  systems: readonly System[],
  rounds: number,
  loads: readonly { readonly callers: number; readonly count: number }[],
): readonly Turn[] {
  return Array.from({ length: rounds }, (_, round) => {
    const order = round % 2 === 0 ? systems : [...systems].reverse();
    return loads.flatMap(({ callers, count }) => order.map((system) => ({ system, callers, round, count })));
  }).flat();
}
