import type { Fence } from '../../activities/integrations/integration';

/** A fence that a test can close. */
export interface FakeFence extends Fence {
  /** Operations that were let pass, in order. */
  readonly passed: readonly string[];
  /** How many passes were taken back. */
  withdrawn(): number;
  /** From the nth pass on (from 1) every pass is refused. */
  refuseFrom(nth: number): void;
  /** From the nth pass on (from 1) the pass is given but holds no more when the request is about to be sent. */
  expireFrom(nth: number): void;
  abort(reason: Error): void;
}

export class FenceClosed extends Error {
  override readonly name = 'FenceClosed';
}

/** @param onPass runs inside each pass, before it is given. */
export function createFakeFence(onPass?: (operation: string, nth: number) => Promise<void>): FakeFence {
  const passed: string[] = [];
  const controller = new AbortController();
  let asked = 0;
  let withdrawn = 0;
  let refused = Infinity;
  let expired = Infinity;
  return {
    passed,
    signal: controller.signal,
    holds: () => asked < expired,
    withdraw: () => {
      withdrawn += 1;
    },
    withdrawn: () => withdrawn,
    pass: async (operation) => {
      asked += 1;
      await onPass?.(operation, asked);
      if (asked >= refused) throw new FenceClosed(`refused before ${operation}`);
      passed.push(operation);
    },
    refuseFrom: (nth) => {
      refused = nth;
    },
    expireFrom: (nth) => {
      expired = nth;
    },
    abort: (reason) => {
      controller.abort(reason);
    },
  };
}
