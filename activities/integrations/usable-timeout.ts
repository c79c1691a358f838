import { z } from 'zod';
import { parseTtl, TtlError } from '../../workflows/ttl';

const DEFAULT = '25s';
const LONGEST_MS = 10 * 60_000;

/** How long to wait for a new key to work: written like a TTL, milliseconds once parsed. */
export function usableTimeout() {
  return z
    .unknown()
    .transform((written, context): number => {
      try {
        const ms = parseTtl(written);
        if (ms <= LONGEST_MS) return ms;
      } catch (error) {
        if (!(error instanceof TtlError)) throw error;
      }
      context.addIssue({ code: 'custom', message: 'must be a span from 1s to 10m, for example 25s' });
      return z.NEVER;
    })
    .prefault(DEFAULT);
}
