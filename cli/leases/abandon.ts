import type { AbandonFlags } from '../commands/leases';
import { confirm, requireTerminal } from '../confirm';
import { EXIT } from '../exit';
import { print, printJson } from '../output/print';
import { printable } from '../output/printable';
import { withLeases } from './with-leases';

/** See `leasesCommand`. */
export async function abandon(leaseId: string, flags: AbandonFlags): Promise<number> {
  const { reason, yes, json } = flags;
  requireTerminal(yes);
  return withLeases(flags, async (leases) => {
    if (yes !== true) {
      const { state, entity, holder } = await leases.get(leaseId);
      const what = printable(`${entity ?? 'nothing yet'} of ${holder}, ${state}`);
      await confirm(`Give up the removal of lease ${leaseId} (${what})? Its credential may go on working.`, { yes });
    }
    await leases.abandon(leaseId, { reason });
    await (json === true
      ? printJson({ lease_id: leaseId, state: 'accepted' })
      : print(
          `Lease ${leaseId} is being given up. What is left at the provider is removed by the sweep, if it can be.\n`,
        ));
    return EXIT.done;
  });
}
