import { readFile } from 'node:fs/promises';
import { check } from './check';
import type { PromiseName, Report, Violation } from './report';
import { runChaos } from './run';
import type { ChaosOptions } from './run';
import { makePlan } from './plan';
import type { Emphasis } from './plan';
import type { Plan, Size } from './plan-types';
import { textTable } from './table';
import type { Trace } from './trace';
import type { Break } from './world-types';
import { zombies } from './zombies';

export interface Verdict {
  readonly trace: Trace;
  readonly report: Report;
}

/**
 * What has to happen for the broken part to be missed: attempts that die, leases that are terminated, and for the fence what is below.
 * No resets: what they leave open for a moment would pass for what the break did.
 */
const AGAINST: Readonly<Record<Break, Emphasis>> = {
  fence: {
    operations: { reset: 0 },
    faults: { stop: 0, kill: 0, 'stop-at-call': 0, 'temporal-kill': 0, 'temporal-stop': 0 },
  },
  plan: { operations: { reset: 0 }, faults: { 'kill-at-call': 100 } },
  sweep: { operations: { reset: 0, terminate: 0.1 } },
};

function planFor(size: Size, broken: Break | null): Plan {
  if (broken === null) return makePlan(size);
  const plan = makePlan(size, AGAINST[broken]);
  if (broken !== 'fence') return plan;
  return [...plan, ...zombies(size.durationMs)].toSorted((one, other) => one.atMs - other.atMs);
}

const BROKEN_PATIENCE_MS = 20_000;

/** Plays a run, judges it and prints the table. */
export async function runAndJudge(size: Size, options: ChaosOptions): Promise<Verdict> {
  const { broken = null } = options;
  const plan = planFor(size, broken);
  // What is broken may never end.
  const patience = broken === null ? {} : { patienceMs: BROKEN_PATIENCE_MS };
  return judge(await runChaos(size, { plan, ...patience, ...options, say }));
}

/** Judges once more what a run has left, by the rules of this tree. */
export async function judgeAgain(file: string): Promise<Verdict> {
  return judge(JSON.parse(await readFile(file, 'utf8')) as Trace);
}

function judge(trace: Trace): Verdict {
  const report = check(trace);
  process.stderr.write(`\n${textTable(trace, report)}\n`);
  return { trace, report };
}

/** What cannot be kept without the part that is broken. */
const BROKEN_BY: Readonly<Record<Break, readonly PromiseName[]>> = {
  fence: ['P1', 'P2'],
  plan: ['P1'],
  sweep: ['P1'],
};

/** Violations of the promises that the broken part is there for. */
export function violationsBy(broken: Break, { violations }: Report): readonly Violation[] {
  return violations.filter(({ promise }) => BROKEN_BY[broken].includes(promise));
}

function say(line: string): void {
  process.stderr.write(`chaos: ${line}\n`);
}
