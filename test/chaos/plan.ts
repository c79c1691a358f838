import { faultMoments } from './plan-faults';
import type { Weights } from './plan-faults';
import { operationMoments } from './plan-operations';
import type { Shares } from './plan-operations';
import type { Moment, Plan, Size } from './plan-types';
import { randomOf } from './random';

/** Abandons for each lease that is asked for. */
const ABANDONED = 0.006;
/** Into the outage of a provider, by when removals that it holds up are stuck. */
const STUCK_BY = 0.85;

/** What there is more or less of than usual. */
export interface Emphasis {
  readonly operations?: Shares;
  readonly faults?: Weights;
}

/** Everything that a run of this size and seed does, and when. */
export function makePlan(size: Size, emphasis: Emphasis = {}): Plan {
  const faults = faultMoments(size, emphasis.faults);
  const moments = [...operationMoments(size, emphasis.operations), ...faults, ...abandonMoments(size, faults)];
  return moments.toSorted((one, other) => one.atMs - other.atMs);
}

/** There is something to give up only while a provider is away, so that these are planned with its outages. */
function abandonMoments(size: Size, faults: readonly Moment[]): readonly Moment[] {
  const random = randomOf(size.seed, 'abandon');
  const times = faults.flatMap(({ atMs, fault }) =>
    fault?.do === 'provider-down' ? [Math.round(atMs + fault.forMs * STUCK_BY)] : [],
  );
  if (times.length === 0) return [];
  const count = Math.max(1, Math.round(size.leases * ABANDONED));
  return Array.from({ length: count }, () => ({
    atMs: Math.min(size.durationMs, random.oneOf(times)),
    operation: { do: 'abandon', pick: random.next() },
  }));
}
