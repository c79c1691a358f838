/** What may go wrong with one call. `before`: the emulator is never asked. `after`: it has done what was asked. */
export type FaultKind =
  | 'lost-answer'
  | '500-before'
  | '500-after'
  | 'html-503'
  | 'throttle'
  | 'hang'
  | 'hang-after'
  | 'not-found'
  | 'delay'
  | 'error';

export interface Fault {
  /** IAM's or STS's action, or `*` for every call. */
  readonly operation: string;
  readonly kind: FaultKind;
  /** Which such call from now on is the first to be hit. From 1, the default. */
  readonly nth?: number;
  /** How many calls in a row are hit. Default 1. */
  readonly times?: number;
  /** Only calls signed with this key. */
  readonly accessKeyId?: string;
  /** For `delay`. */
  readonly delayMs?: number;
  /** For `throttle`: the Retry-After header. */
  readonly retryAfterSeconds?: number;
  /** For `error`. */
  readonly status?: number;
  readonly code?: string;
}

/** Faults waiting for their calls. */
export interface FaultQueue {
  add(fault: Fault): void;
  /** The fault that hits this call, if any. */
  take(operation: string, accessKeyId: string | null): Fault | undefined;
  clear(): void;
}

export function createFaultQueue(): FaultQueue {
  let waiting: { readonly fault: Fault; seen: number }[] = [];
  return {
    add: (fault) => {
      waiting.push({ fault, seen: 0 });
    },
    take: (operation, accessKeyId) => {
      let taken: Fault | undefined;
      for (const entry of waiting) {
        const { fault } = entry;
        if (fault.operation !== '*' && fault.operation !== operation) continue;
        if (fault.accessKeyId !== undefined && fault.accessKeyId !== accessKeyId) continue;
        entry.seen += 1;
        const first = fault.nth ?? 1;
        const last = first + (fault.times ?? 1) - 1;
        if (entry.seen >= first && entry.seen <= last) taken ??= fault;
      }
      return taken;
    },
    clear: () => {
      waiting = [];
    },
  };
}
