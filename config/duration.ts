import { z } from 'zod';
import { formatTtl, parseTtl, TtlError } from '../workflows/ttl';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const WEEK = 7 * DAY;

/** A duration as people write it, milliseconds once parsed, both bounds included. A lower bound of 0 allows `0s`. */
export function duration(minMs: number, maxMs: number) {
  return z.unknown().transform((written, context): number => {
    const ms = read(written, minMs === 0);
    if (typeof ms === 'number' && ms >= minMs && ms <= maxMs) return ms;
    const range = `must be from ${formatTtl(minMs)} to ${formatTtl(maxMs)}`;
    const message = typeof ms === 'number' ? `${range}, not ${formatTtl(ms)}` : `${range}: ${ms}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

/** Milliseconds, or the sentence that says why there are none. */
function read(written: unknown, isZeroAllowed: boolean): number | string {
  if (isZeroAllowed && (written === 0 || written === '0' || written === '0s')) return 0;
  try {
    return parseTtl(written);
  } catch (error) {
    if (error instanceof TtlError) return error.message;
    throw error;
  }
}
