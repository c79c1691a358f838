import type { Report } from './report';
import type { Trace } from './trace';

/** Judges a run by what was seen of it. */
export function check(trace: Trace): Report {
  const none = { count: 0, p50: null, p99: null, max: null, leaseId: null };
  return {
    violations: trace.leaks.map((what) => ({ promise: 'P4', leaseId: null, what })),
    judged: { P1: 0, P2: 0, P3: 0, P4: 0, P5: 0, P6: 0, P7: 0, P8: 0, audit: 0, programs: 0 },
    lags: {
      pastExpiry: none,
      pastExpiryUndisturbed: none,
      afterRevoke: none,
      afterOutage: none,
      afterHealing: none,
      afterTermination: none,
    },
  };
}
