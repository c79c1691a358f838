import { disturbed, outagesOf } from './disturbances';
import type { Removal } from './removals';
import type { Lag, Lags } from './report';
import type { Trace } from './trace';

interface Span {
  readonly leaseId: string;
  readonly ms: number;
}

export function lagsOf(trace: Trace, removals: readonly Removal[]): Lags {
  const spans = (among: readonly Removal[], from: (removal: Removal) => number): Span[] =>
    among.map((removal) => ({ leaseId: removal.leaseId, ms: Math.max(0, removal.goneAt - from(removal)) }));
  const by = (what: Removal['by']): readonly Removal[] => removals.filter((removal) => removal.by === what);
  const isDue = ({ dueAt }: Removal): number => dueAt;
  const expired = by('expiry');
  return {
    pastExpiry: lagOf(spans(expired, isDue)),
    pastExpiryUndisturbed: lagOf(
      spans(
        expired.filter(({ integration, dueAt, goneAt }) => !disturbed(trace, integration, dueAt, goneAt)),
        isDue,
      ),
    ),
    afterRevoke: lagOf(spans(by('revoke'), isDue)),
    afterOutage: lagOf(heldUp(trace, removals)),
    afterHealing: lagOf(
      spans(
        removals.filter(({ dueAt, goneAt }) => dueAt < trace.healedAt && goneAt > trace.healedAt),
        () => trace.healedAt,
      ),
    ),
    afterTermination: lagOf(spans(by('sweep'), isDue)),
  };
}

/**
 * What was due while its provider was away, from the end of that on. Not counted is what met another fault before it had
 * recovered from this one.
 */
export function heldUp(trace: Trace, removals: readonly Removal[]): readonly Span[] {
  const outages = new Map(
    [...new Set(removals.map((each) => each.integration))].map((each) => [each, outagesOf(trace, each)]),
  );
  return removals.flatMap(({ leaseId, integration, dueAt, goneAt, by }) => {
    if (by === 'sweep') return [];
    const outage = outages
      .get(integration)
      ?.filter(({ from, to }) => from <= goneAt && to >= dueAt && to <= goneAt)
      .reduce<{ readonly to: number; readonly from: number } | undefined>(
        (last, each) => (last === undefined || each.to > last.to ? each : last),
        undefined,
      );
    if (outage === undefined) return [];
    const others = { ...trace, faults: trace.faults.filter((fault) => fault !== outage) };
    if (disturbed(others, integration, outage.to, goneAt)) return [];
    return [{ leaseId, ms: goneAt - outage.to }];
  });
}

function lagOf(spans: readonly Span[]): Lag {
  const sorted = spans.toSorted((one, other) => one.ms - other.ms);
  const at = (share: number): number | null => sorted[Math.ceil(share * sorted.length) - 1]?.ms ?? null;
  const longest = sorted.at(-1);
  return {
    count: sorted.length,
    p50: at(0.5),
    p99: at(0.99),
    max: longest?.ms ?? null,
    leaseId: longest?.leaseId ?? null,
  };
}
