import type { Fault, IntegrationName } from './plan-types';
import type { FaultSeen, Trace } from './trace';

/** Heartbeats that are missed until another attempt begins, connections that are made anew. */
const PROGRAM_FELT_FOR_MS = 8_000;
/** The pauses before the next attempts. */
const PROVIDER_FELT_FOR_MS = 5_000;

/** One of a provider itself, or of calls to it; null: a fault of ours or of Temporal. */
export function providerOf(fault: Fault): IntegrationName | null {
  switch (fault.do) {
    case 'provider-down':
    case 'provider-slow':
    case 'provider-throttling':
    case 'call':
      return fault.integration;
    case 'kill':
    case 'restart':
    case 'stop':
    case 'stop-at-call':
    case 'kill-at-call':
    case 'clock':
    case 'temporal-kill':
    case 'temporal-stop':
      return null;
  }
}

/** What something is done by: what a worker does by itself feels nothing of the APIs. */
export type Way = 'api' | 'worker';

/** Whether leases of this integration can feel a fault. */
export function concerns({ fault }: FaultSeen, integration: string, way: Way = 'api'): boolean {
  if (way === 'worker' && 'process' in fault && fault.process.startsWith('api')) return false;
  const provider = providerOf(fault);
  return provider === null || provider === integration;
}

/** Until when it explains what is late. */
function feltUntil({ fault, to }: FaultSeen): number {
  return to + (providerOf(fault) === null ? PROGRAM_FELT_FOR_MS : PROVIDER_FELT_FOR_MS);
}

/** How much of the time between two instants no fault was felt that this integration can feel. */
export function calmMs({ faults }: Trace, integration: string, from: number, to: number, way: Way): number {
  const felt = faults.filter((fault) => concerns(fault, integration, way));
  return restMs(from, to, felt, feltUntil);
}

/** How much of it the provider and Temporal were both there, whatever befell programs of ours, of which there are two each. */
export function ableMs({ faults }: Trace, integration: string, from: number, to: number): number {
  const outages = faults.filter(
    (each) => /^(provider|temporal)-/.test(each.fault.do) && concerns(each, integration, 'worker'),
  );
  return restMs(from, to, outages, (fault) => fault.to);
}

/** What of a span is left beside these. */
function restMs(from: number, to: number, faults: readonly FaultSeen[], until: (fault: FaultSeen) => number): number {
  let rest = 0;
  let reached = from;
  for (const fault of faults.toSorted((one, other) => one.from - other.from)) {
    if (fault.from >= to) break;
    rest += Math.max(0, fault.from - reached);
    reached = Math.max(reached, Math.min(to, until(fault)));
  }
  return rest + Math.max(0, to - reached);
}

/** Whether any fault that an integration can feel was met between two instants, or is still felt then. */
export function disturbed(trace: Trace, integration: string, from: number, to: number, way: Way): boolean {
  return trace.faults.some(
    (fault) => fault.from <= to && feltUntil(fault) >= from && concerns(fault, integration, way),
  );
}
