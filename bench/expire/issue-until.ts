import { load } from '../load';
import type { Credential, Party } from './party';

export interface IssueUntil {
  readonly total: number;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/** Of the last credential to be issued: with less than this, it might have ended before the watch began. */
const LEAST_TTL_SECONDS = 3;

/**
 * Issues credentials that all expire at that instant, or less than a second and the time of one issue after it: neither party knows
 * parts of a second.
 * @throws Error if they could not be issued in time.
 */
export async function issueUntil(
  party: Party,
  dueAt: number,
  { total, concurrency, signal }: IssueUntil,
): Promise<readonly Credential[]> {
  const credentials: Credential[] = [];
  await load({ total, concurrency, signal }, async () => {
    const ttlSeconds = Math.ceil((dueAt - Date.now()) / 1_000);
    if (ttlSeconds < LEAST_TTL_SECONDS) {
      throw new Error(
        `${party.name} issued ${credentials.length} of ${total} credentials before the first was to expire.`,
      );
    }
    credentials.push(await party.issue(ttlSeconds));
  });
  return credentials;
}

/**
 * How many credentials are issued in a second, measured by some that are revoked again. It warms up everything on the way as well.
 */
export async function measureRate(party: Party, options: IssueUntil): Promise<number> {
  const ids: string[] = [];
  const { wholeMs } = await load(options, async () => {
    ids.push((await party.issue(WARM_UP_TTL_SECONDS)).id);
  });
  await revokeAll(party, ids, options);
  return options.total / (wholeMs / 1_000);
}

const WARM_UP_TTL_SECONDS = 3_600;

/** Ends these leases; they are gone when it resolves. */
export async function revokeAll(
  party: Party,
  ids: readonly string[],
  { concurrency, signal }: Omit<IssueUntil, 'total'>,
): Promise<void> {
  if (ids.length === 0) return;
  await load({ total: ids.length, concurrency, signal }, async (nth) => {
    const id = ids[nth];
    if (id !== undefined) await party.revoke(id);
  });
}
