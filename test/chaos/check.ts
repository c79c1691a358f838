import { lagsOf } from './lags';
import { removalsOf } from './removals';
import { PROMISES } from './report';
import type { PromiseName, Report } from './report';
import { bulkheads } from './rules/bulkheads';
import { noCrashes } from './rules/crashes';
import { neverEarly } from './rules/early-ends';
import { neverGivenUp } from './rules/endings';
import { honest } from './rules/honesty';
import { noOrphans } from './rules/orphans';
import { recorded } from './rules/records';
import { idempotent } from './rules/repeats';
import { replaysStill } from './rules/replays';
import type { Evidence, Rule } from './rules/rule';
import { revealedOnce } from './rules/secrets';
import { sortByLease } from './seen-leases';
import { termsOf } from './terms';
import type { Terms } from './terms';
import type { Trace } from './trace';

const RULES: Readonly<Record<PromiseName, Rule>> = {
  P1: noOrphans,
  P2: neverEarly,
  P3: neverGivenUp,
  P4: revealedOnce,
  P5: idempotent,
  P6: bulkheads,
  P7: replaysStill,
  P8: honest,
  audit: recorded,
  programs: noCrashes,
};

/** Judges a run by what was seen of it, and by nothing that the system says of itself alone. */
export function check(trace: Trace): Report {
  const { leases } = sortByLease(trace);
  const terms = new Map<string, Terms>();
  for (const lease of leases.values()) {
    const known = termsOf(lease);
    if (known !== null) terms.set(lease.leaseId, known);
  }
  const evidence: Evidence = { trace, leases, terms };
  const verdicts = PROMISES.map((promise) => [promise, RULES[promise](evidence)] as const);
  return {
    violations: verdicts.flatMap(([, { violations }]) => violations),
    judged: Object.fromEntries(verdicts.map(([promise, { judged }]) => [promise, judged])) as Report['judged'],
    lags: lagsOf(trace, removalsOf(leases.values())),
  };
}
