import { calmMs, concerns, disturbed } from './disturbances';
import type { Fault } from './plan-types';
import type { Removal } from './removals';
import type { Lag, Lags } from './report';
import type { FaultSeen, Trace } from './trace';

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
  const own = removals.filter((removal) => removal.by !== 'sweep');
  const after = (held: readonly Held[]): Lag =>
    lagOf(held.map(({ leaseId, goneAt, heldBy }) => ({ leaseId, ms: goneAt - heldBy.to })));
  const byOutage = heldUp(trace, own, 'provider-down');
  return {
    pastExpiry: lagOf(spans(expired, isDue)),
    pastExpiryUndisturbed: lagOf(
      spans(
        expired.filter(({ integration, dueAt, goneAt }) => !disturbed(trace, integration, dueAt, goneAt, 'worker')),
        isDue,
      ),
    ),
    afterRevoke: lagOf(spans(by('revoke'), isDue)),
    afterOutage: after(byOutage),
    afterOutageAlone: lagOf(byOutage.map((each) => ({ leaseId: each.leaseId, ms: aloneMs(trace, each) }))),
    afterTemporal: after(heldUp(trace, own, 'temporal-kill', 'temporal-stop')),
    afterWorker: after(heldUp(trace, own, 'stop', 'kill', 'stop-at-call', 'kill-at-call')),
    afterHealing: lagOf(
      spans(
        removals.filter(({ dueAt, goneAt }) => dueAt < trace.healedAt && goneAt > trace.healedAt),
        () => trace.healedAt,
      ),
    ),
    afterTermination: lagOf(spans(by('sweep'), isDue)),
  };
}

type Held = Removal & { readonly heldBy: FaultSeen };

/** What was due and not done when a trouble of these kinds ended, and the last such trouble. */
function heldUp(trace: Trace, removals: readonly Removal[], ...kinds: readonly Fault['do'][]): readonly Held[] {
  const troubles = trace.faults.filter(({ fault }) => kinds.includes(fault.do));
  return removals.flatMap((removal) => {
    const { integration, dueAt, goneAt } = removal;
    const met = troubles.filter(
      (each) => dueAt < each.to && each.to < goneAt && concerns(each, integration, 'worker') && each.hit,
    );
    const heldBy = met.toSorted((one, other) => one.to - other.to).at(-1);
    return heldBy === undefined ? [] : [{ ...removal, heldBy }];
  });
}

/** How much of that time no other fault was felt. */
function aloneMs(trace: Trace, { integration, goneAt, heldBy }: Held): number {
  const others = { ...trace, faults: trace.faults.filter((fault) => fault !== heldBy) };
  return calmMs(others, integration, heldBy.to, goneAt, 'worker');
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
