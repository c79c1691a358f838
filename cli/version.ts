import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version of this package, as its package.json says it: beside the sources, and two folders above what is built. */
export function packageVersion(directory = __dirname): string {
  try {
    const { name, version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
      readonly name?: unknown;
      readonly version?: unknown;
    };
    if (name === 'leasehold' && typeof version === 'string') return version;
  } catch {
    // Not there: it is further up.
  }
  const parent = dirname(directory);
  return parent === directory ? 'unknown' : packageVersion(parent);
}
