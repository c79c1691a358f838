import type { Size } from './plan-types';
import type { Break } from './world-types';

/** What scripts/chaos.mjs was asked for. */
export interface Request {
  readonly size: Size;
  readonly broken: Break | null;
  /** Where what was found is to be written; null: nowhere. */
  readonly report: string | null;
  /** Where everything is to be left; null: nowhere. */
  readonly keep: string | null;
  /** What an earlier run has left, to be judged instead of a new one; null: nothing. */
  readonly judge: string | null;
}

export const REQUEST_VARIABLE = 'LEASEHOLD_CHAOS';

/** A run of some minutes, for `npm run test:long`, where nobody asked for anything. */
const MIDDLE = {
  seed: 20_261_126,
  leases: 450,
  faults: 70,
  minutes: 4,
  broken: null,
  report: null,
  keep: null,
  judge: null,
};

export function readRequest(text: string | undefined): Request {
  const { seed, leases, faults, minutes, ...more } =
    text === undefined
      ? MIDDLE
      : (JSON.parse(text) as Omit<Request, 'size'> & Omit<Size, 'durationMs'> & { minutes: number });
  return { size: { seed, leases, faults, durationMs: Math.round(minutes * 60_000) }, ...more };
}
