import type { WhoamiFlags } from '../commands/whoami';
import { EXIT } from '../exit';
import { details } from '../output/details';
import { outputTo } from '../output/output';
import { print, printJson } from '../output/print';
import { relative } from '../output/relative';
import { withLeases } from './with-leases';

/** See `whoamiCommand`. */
export function whoami(flags: WhoamiFlags): Promise<number> {
  return withLeases(flags, async (leases) => {
    const { url: host } = leases;
    const { tokenId, holder, rights, scopes, expiresAt } = await leases.whoami();
    const end = expiresAt?.toISOString() ?? null;
    if (flags.json === true) {
      await printJson({ host, token_id: tokenId, holder, rights, scopes, expires_at: end });
      return EXIT.done;
    }
    const { style } = outputTo(process.stdout);
    const text = details(
      [
        ['Host', host],
        ['Holder', holder],
        ['Token', tokenId],
        ['Rights', rights.join(', ')],
        ['Scopes', scopes.join(', ')],
        ['Ends', expiresAt === null ? 'never' : `${relative(expiresAt)} (${expiresAt.toISOString()})`],
      ],
      { style },
    );
    await print(text);
    return EXIT.done;
  });
}
