import type { ExtendFlags } from '../commands/leases';
import { EXIT } from '../exit';
import { print, printJson } from '../output/print';
import { relative } from '../output/relative';
import { readSeconds } from '../ttl';
import { withLeases } from './with-leases';

/** See `leasesCommand`. */
export async function extend(leaseId: string, flags: ExtendFlags): Promise<number> {
  const ttl = readSeconds(flags.ttl, '--ttl');
  return withLeases(flags, async (leases) => {
    const end = await leases.extend(leaseId, ttl);
    const instant = end.toISOString();
    await (flags.json === true
      ? printJson({ lease_id: leaseId, expires_at: instant })
      : print(`Lease ${leaseId} ends ${relative(end)} (${instant}).\n`));
    return EXIT.done;
  });
}
