/**
 * What may go wrong with one call. `before`: the provider is never asked. `after`: it has done what was asked. `body`: it
 * has, and the answer breaks off in the middle.
 */
export type FaultKind =
  | 'lost-answer'
  | '500-before'
  | '500-after'
  | 'html-503'
  | 'throttle'
  | 'hang'
  | 'hang-after'
  | 'hang-body'
  | 'not-found'
  | 'delay'
  | 'error';

export interface Fault {
  /** The provider's name of the operation, or `*` for every call. */
  readonly operation: string;
  readonly kind: FaultKind;
  /** Which such call from now on is the first to be hit. From 1, the default. */
  readonly nth?: number;
  /** How many calls in a row are hit. Default 1. */
  readonly times?: number;
  /** Only calls about an entity with this in its name, so that one of many leases is hit. */
  readonly entity?: string;
  /** For `delay`. */
  readonly delayMs?: number;
  /** For `throttle`: the Retry-After header. */
  readonly retryAfterSeconds?: number;
  /** For `error`. */
  readonly status?: number;
  readonly code?: string;
}

/** A call, as far as faults look at it. */
interface FaultableCall {
  readonly operation: string;
  readonly entity: string | null;
}

/** Faults waiting for their calls. */
export interface FaultQueue {
  add(fault: Fault): void;
  /** The fault that hits this call, if any. */
  take(call: FaultableCall): Fault | undefined;
  /** @param entity only the faults of this entity; absent: all. */
  clear(entity?: string): void;
}

export function createFaultQueue(): FaultQueue {
  let waiting: { readonly fault: Fault; seen: number }[] = [];
  return {
    add: (fault) => {
      waiting.push({ fault, seen: 0 });
    },
    take: (call) => {
      let taken: Fault | undefined;
      for (const entry of waiting) {
        const { fault } = entry;
        if (fault.operation !== '*' && fault.operation !== call.operation) continue;
        if (fault.entity !== undefined && call.entity?.includes(fault.entity) !== true) continue;
        entry.seen += 1;
        const first = fault.nth ?? 1;
        const last = first + (fault.times ?? 1) - 1;
        if (entry.seen >= first && entry.seen <= last) taken ??= fault;
      }
      return taken;
    },
    clear: (entity) => {
      waiting = entity === undefined ? [] : waiting.filter(({ fault }) => fault.entity !== entity);
    },
  };
}
