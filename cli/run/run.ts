import { allVariables } from '../../config/environment';
import { connect, findPlace } from '../access';
import type { RunFlags } from '../commands/run';
import { readSeconds } from '../ttl';
import { runChild } from './child';
import { openLeasing } from './leasing';

/** See `runCommand`. */
export async function run(argv: readonly string[], flags: RunFlags): Promise<number> {
  const ttl = flags.dynamicTtl === undefined ? undefined : readSeconds(flags.dynamicTtl, '--ttl');
  const leases = await connect(flags);
  const place = await findPlace(leases, flags);
  const [{ values: statics }, offered] = await Promise.all([
    leases.secrets(place.project, place.config),
    leases.offered(place.project, place.config),
  ]);
  const names = offered.map(({ dynamicSecret }) => dynamicSecret);
  const leasing = await openLeasing(leases, { place, names, ttl, signal: new AbortController().signal });
  try {
    return await runChild(argv, { ...allVariables(), ...statics, ...Object.fromEntries(leasing.values) });
  } finally {
    await leasing.close();
  }
}
