import { parseTtl, TtlError } from '../workflows/ttl';

/** A duration as people write it: milliseconds, or the sentence that says why there are none. */
export function readDuration(written: unknown, isZeroAllowed: boolean): number | string {
  if (isZeroAllowed && (written === 0 || written === '0' || written === '0s')) return 0;
  try {
    return parseTtl(written);
  } catch (error) {
    if (error instanceof TtlError) return error.message;
    throw error;
  }
}
