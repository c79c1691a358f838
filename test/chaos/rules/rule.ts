import type { PromiseName, Violation } from '../report';
import type { SeenRun } from '../seen-leases';
import type { Terms } from '../terms';

/** A run as rules see it. */
export interface Evidence extends SeenRun {
  /** By lease; those that were delivered. */
  readonly terms: ReadonlyMap<string, Terms>;
}

export interface Verdict {
  readonly violations: readonly Violation[];
  /** How much it was judged by. */
  readonly judged: number;
}

export type Rule = (evidence: Evidence) => Verdict;

export interface Judgement {
  /** Something was looked at. */
  look(): void;
  violated(leaseId: string | null, what: string): void;
  verdict(): Verdict;
}

export function judge(promise: PromiseName): Judgement {
  const violations: Violation[] = [];
  let judged = 0;
  return {
    look: () => {
      judged += 1;
    },
    violated: (leaseId, what) => {
      violations.push({ promise, leaseId, what });
    },
    verdict: () => ({ violations, judged }),
  };
}
