import { load } from '../load';
import { messageOf, reasonsOf } from '../missing';
import type { Credential, Party } from './party';

export interface IssueUntil {
  readonly total: number;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

export interface IssuedUntil {
  readonly credentials: readonly Credential[];
  /** What issues failed of. There are so many credentials less. */
  readonly failures: readonly string[];
}

/** Of the last credential to be issued: with less than this, it might have ended before the watch began. */
const LEAST_TTL_SECONDS = 3;
/** Of all issues, or this one if that is more: with more failures there is something wrong that is not to be measured. */
const MOST_FAILED = { share: 0.01, count: 1 } as const;

/**
 * Issues credentials that all expire at that instant, or less than a second and the time of one issue after it: neither party knows
 * parts of a second. A few issues may fail.
 * @throws Error if they could not be issued in time, or too many failed.
 */
export async function issueUntil(
  party: Pick<Party, 'name' | 'issue'>,
  dueAt: number,
  { total, concurrency, signal }: IssueUntil,
): Promise<IssuedUntil> {
  const credentials: Credential[] = [];
  const failures: string[] = [];
  const bearable = Math.max(MOST_FAILED.count, total * MOST_FAILED.share);
  await load({ total, concurrency, signal }, async () => {
    const ttlSeconds = Math.ceil((dueAt - Date.now()) / 1_000);
    if (ttlSeconds < LEAST_TTL_SECONDS) {
      throw new Error(
        `${party.name} issued ${credentials.length} of ${total} credentials before the first was to expire.`,
      );
    }
    try {
      credentials.push(await party.issue(ttlSeconds));
    } catch (error) {
      failures.push(messageOf(error));
      if (failures.length > bearable) {
        throw new Error(`${party.name} failed to issue ${failures.length} credentials: ${reasonsOf(failures)}`);
      }
    }
  });
  return { credentials, failures };
}

/** That there are fewer credentials than there were to be; nothing if there are all. */
export function failedIssues(party: string, { credentials, failures }: IssuedUntil): readonly string[] {
  if (failures.length === 0) return [];
  const total = credentials.length + failures.length;
  return [`${party}: ${failures.length} of ${total} issues failed, and are in no figure: ${reasonsOf(failures)}`];
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
