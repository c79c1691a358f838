import type { Operation } from './routes';

/** Something that goes wrong with a request. */
export interface EmulatorFault {
  readonly operation: Operation | '*';
  /** `reset`: the connection is cut without an answer. */
  readonly kind: 'status' | 'reset' | 'delay';
  /** Whether what was asked is done first all the same. Default false; means nothing for `delay`. */
  readonly isDoneFirst?: boolean;
  /** For `status`. Default 500. */
  readonly status?: number;
  /** For `delay`: how long until the request is looked at. */
  readonly delayMs?: number;
  /** How many requests in a row are hit. Default 1. */
  readonly times?: number;
}

export interface Faults {
  add(fault: EmulatorFault): void;
  /** The fault that hits this request, if any: the oldest that still waits for one. */
  take(operation: Operation): EmulatorFault | undefined;
  clear(): void;
}

export function createFaults(): Faults {
  let waiting: { readonly fault: EmulatorFault; left: number }[] = [];
  return {
    add: (fault) => {
      waiting.push({ fault, left: fault.times ?? 1 });
    },
    take: (operation) => {
      const hit = waiting.find(({ fault }) => fault.operation === '*' || fault.operation === operation);
      if (hit === undefined) return undefined;
      hit.left -= 1;
      waiting = waiting.filter(({ left }) => left > 0);
      return hit.fault;
    },
    clear: () => {
      waiting = [];
    },
  };
}
