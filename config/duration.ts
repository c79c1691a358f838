import { z } from 'zod';
import { formatTtl } from '../workflows/ttl';
import { readDuration } from './read-duration';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const WEEK = 7 * DAY;

/** A duration as people write it, milliseconds once parsed, both bounds included. A lower bound of 0 allows `0s`. */
export function duration(minMs: number, maxMs: number) {
  return z.unknown().transform((written, context): number => {
    const ms = readDuration(written, minMs === 0);
    if (typeof ms === 'number' && ms >= minMs && ms <= maxMs) return ms;
    const range = `must be from ${formatTtl(minMs)} to ${formatTtl(maxMs)}`;
    const message = typeof ms === 'number' ? `${range}, not ${formatTtl(ms)}` : `${range}: ${ms}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}
