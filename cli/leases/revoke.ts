import type { HttpLeases, LeaseSummary, ManyFilter } from '../../client/http';
import type { RevokeFlags } from '../commands/leases';
import { confirm, requireTerminal } from '../confirm';
import { AuthError, EXIT, UsageError } from '../exit';
import { outputTo } from '../output/output';
import { plural } from '../output/plural';
import { print, printJson } from '../output/print';
import { tell } from '../output/tell';
import { readSeconds } from '../ttl';
import { revokeBulk } from './bulk';
import { revokeEach } from './each';
import { describeFilter, isEmpty, readFilter } from './filter';
import { summaryJson } from './json';
import { leaseTable } from './rows';
import { withLeases } from './with-leases';

/** How long one's own leases are waited for: a removal that takes longer is as good as stuck. */
const OWN_WAIT_MS = 5 * 60_000;
const REASON = 'leasehold leases revoke';

/** See `leasesCommand`. */
export async function revoke(given: readonly string[], flags: RevokeFlags): Promise<number> {
  const { ids, wait } = readWaited(given, flags.wait);
  const filter = readFilter(flags);
  requireSense(ids, filter, flags);
  const reason = flags.reason ?? (flags.all === true ? `${REASON} --all` : REASON);
  const waitMs = readWait(wait);
  if (flags.all === true && flags.dryRun !== true) requireTerminal(flags.yes);
  return withLeases(flags, async (leases) => {
    if (flags.all !== true) {
      if (flags.dryRun === true) return showNamed(leases, ids, flags);
      return revokeEach(leases, ids, { reason, waitMs: waitMs ?? null, json: flags.json, isMany: false });
    }
    const { holder, rights } = await leases.whoami();
    if (rights.includes('admin') && flags.mine !== true) {
      if (isEmpty(filter)) throw new UsageError(UNNAMED);
      const expected = await prepare(leases, filter, flags, filter.entity === undefined);
      if (flags.dryRun === true) return EXIT.done;
      const total = expected?.length;
      return revokeBulk(
        leases,
        { ...filter, reason },
        { waitMs: waitMs === undefined ? Infinity : waitMs, total, json: flags.json },
      );
    }
    if (filter.holder !== undefined && filter.holder !== holder) {
      throw new AuthError(`Leases of others are ended with the right admin: the token stands for ${holder}.`);
    }
    const own = (await prepare(leases, { ...filter, holder }, { ...flags, listed: true }, false)) ?? [];
    if (flags.dryRun === true || own.length === 0) return EXIT.done;
    return revokeEach(
      leases,
      own.map(({ leaseId }) => leaseId),
      { reason, waitMs: waitMs === undefined ? OWN_WAIT_MS : waitMs, json: flags.json, isMany: true },
    );
  });
}

const UNNAMED =
  'Say whose with a filter, e.g. --all --holder token:ci or --all --project backend; --all --mine means your own alone.';

function requireSense(ids: readonly string[], filter: ManyFilter, { all, mine }: RevokeFlags): void {
  if (all === true && ids.length > 0)
    throw new UsageError('Name leases, or give --all, not both: nothing was revoked.');
  if (all !== true && (mine === true || !isEmpty(filter))) {
    throw new UsageError('Filters and --mine go with --all: nothing was revoked.');
  }
  if (all !== true && ids.length === 0) {
    throw new UsageError('Name the leases, which leasehold leases list shows, or give --all with filters.');
  }
  if (mine === true && filter.holder !== undefined) throw new UsageError('Give --mine or --holder, not both.');
}

/** What follows `--wait` may be the first lease that is named. */
function readWaited(
  ids: readonly string[],
  wait: RevokeFlags['wait'],
): { readonly ids: readonly string[]; readonly wait: RevokeFlags['wait'] } {
  if (typeof wait !== 'string' || !/^[a-z2-7]{24}$/.test(wait)) return { ids, wait };
  return { ids: [...new Set([wait, ...ids])], wait: true };
}

/** Milliseconds; null: not; undefined: not said. */
function readWait(wait: RevokeFlags['wait']): number | null | undefined {
  if (wait === undefined) return undefined;
  if (wait === false) return null;
  if (wait === true) return OWN_WAIT_MS;
  const ms = readSeconds(wait, '--wait') * 1_000;
  if (ms <= 86_400_000) return ms;
  throw new UsageError('--wait: at most 1d. A revoke that was accepted goes on, also when nobody waits.');
}

/**
 * Shows what a dry run would revoke, or asks.
 * @returns the leases; undefined if there was no reason to look for them.
 */
async function prepare(
  leases: HttpLeases,
  filter: ManyFilter,
  { dryRun, yes, json, listed }: RevokeFlags & { readonly listed?: boolean },
  isBlocked: boolean,
): Promise<readonly LeaseSummary[] | undefined> {
  if (yes === true && dryRun !== true && listed !== true) return undefined;
  const found: LeaseSummary[] = [];
  for await (const lease of leases.list({ ...filter, live: true })) found.push(lease);
  const what = `${plural(found.length, 'live lease')} of ${describeFilter(filter)}`;
  const blocking = isBlocked ? ', and block new ones until the block is lifted' : '';
  if (dryRun === true) {
    await showAll(found, json);
    tell(`This would revoke ${what}${blocking}. Nothing was done.`);
    return found;
  }
  if (found.length === 0 && !isBlocked) tell(`There is no live lease of ${describeFilter(filter)}.`);
  else await confirm(`Revoke ${what}${blocking}?`, { yes });
  return found;
}

async function showNamed(leases: HttpLeases, ids: readonly string[], { json }: RevokeFlags): Promise<number> {
  const found = [];
  for (const id of ids) found.push(await leases.get(id));
  const live = found.filter(({ endedAt }) => endedAt === null);
  await showAll(live, json);
  tell(`This would revoke ${plural(live.length, 'lease')}. Nothing was done.`);
  return EXIT.done;
}

async function showAll(leases: readonly LeaseSummary[], json: boolean | undefined): Promise<void> {
  if (json === true) for (const lease of leases) await printJson(summaryJson(lease));
  else if (leases.length > 0) await print(leaseTable(leases, outputTo(process.stdout)));
}
