import { parseTtl, TtlError } from '../workflows/ttl';
import { UsageError } from './exit';

/** The seconds of a span of time as people write it. @throws UsageError that names the option. */
export function readSeconds(text: string, option: string): number {
  try {
    return parseTtl(text) / 1_000;
  } catch (error) {
    throw error instanceof TtlError ? new UsageError(`${option}: ${error.message}`) : error;
  }
}
