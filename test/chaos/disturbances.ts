import type { Fault, IntegrationName } from './plan-types';
import type { FaultSeen, Trace } from './trace';

/** Heartbeats that are missed, attempts that are waited out, connections that are made anew: what a fault is felt by after it. */
export const FELT_FOR_MS = 15_000;

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

/** Whether leases of this integration can feel a fault. */
export function concerns({ fault }: FaultSeen, integration: string): boolean {
  const provider = providerOf(fault);
  return provider === null || provider === integration;
}

/** Whether any fault that an integration can feel was met between two instants, or is still felt then. */
export function disturbed(trace: Trace, integration: string, from: number, to: number): boolean {
  return trace.faults.some(
    (fault) => fault.from <= to && fault.to + FELT_FOR_MS >= from && concerns(fault, integration),
  );
}

/** Outages of providers, whole ones and those in which a part of the calls fails. */
export function outagesOf(trace: Trace, integration: string): readonly FaultSeen[] {
  return trace.faults.filter(({ fault }) => fault.do.startsWith('provider-') && providerOf(fault) === integration);
}
