import { apportion } from './apportion';
import { HOLDERS } from './plan-types';
import type { IntegrationName, Moment, Operation, Size } from './plan-types';
import { randomOf } from './random';
import type { Random } from './random';

/** AWS has a little less than the others: each of its leases takes several calls. */
const INTEGRATION_WEIGHTS: Readonly<Record<IntegrationName, number>> = { aws: 26, database: 37, datadog: 37 };

/** How many there are for each lease that is asked for. */
const SHARES = {
  extend: 0.15,
  shorten: 0.06,
  revoke: 0.33,
  'bulk-revoke': 0.003,
  cancel: 0.012,
  terminate: 0.01,
  reset: 0.006,
  reload: 0.004,
  'issue-too-long': 0.01,
} as const;

/** Where there is a lease to do something with. */
const FIRST_CHANGE_MS = 4_000;
const LONGEST_TTL_MS = 90_000;
/** What is issued last need not be waited for long. */
const LAST_TTL_MS = 15_000;

/** How many of each kind there are for each lease, where that differs from what is usual. */
export type Shares = Partial<Record<Change, number>>;

export function operationMoments(size: Size, shares: Shares = {}): readonly Moment[] {
  const all = { ...SHARES, ...shares };
  return [
    ...issueMoments(size),
    ...Object.keys(all).flatMap((kind) => changeMoments(size, kind as Change, all[kind as Change])),
  ];
}

type Change = keyof typeof SHARES;

/** The longest TTL of anything begun at this time. */
function longestTtlMs({ durationMs }: Size, atMs: number): number {
  return Math.min(LONGEST_TTL_MS, Math.max(LAST_TTL_MS, durationMs / 3), durationMs - atMs + LAST_TTL_MS);
}

function issueMoments(size: Size): readonly Moment[] {
  const random = randomOf(size.seed, 'issues');
  const repeats: number[] = [];
  for (let left = size.leases; left > 0; left -= repeats.at(-1)!) {
    repeats.push(Math.min(left, random.chance(0.05) ? random.whole(2, 3) : 1));
  }
  const integrations = random.shuffled(apportion(repeats.length, INTEGRATION_WEIGHTS));
  return repeats.map((times, index) => {
    const atMs = spread(random, index, repeats.length, 0, size.durationMs);
    const operation: Operation = {
      do: 'issue',
      holder: random.oneOf(HOLDERS),
      integration: integrations[index]!,
      ttlMs: wholeSeconds(Math.min(drawTtlMs(random), longestTtlMs(size, atMs))),
      through: random.oneOf(['api-1', 'api-2']),
      times,
      hangUpAfterMs: times === 1 && random.chance(0.03) ? random.whole(30, 3_000) : null,
    };
    return { atMs, operation };
  });
}

function drawTtlMs(random: Random): number {
  const kind = random.next();
  if (kind < 0.85) return random.between(3_000, 25_000);
  return kind < 0.95 ? random.between(25_000, 60_000) : random.between(60_000, LONGEST_TTL_MS);
}

function changeMoments(size: Size, kind: Change, share: number): readonly Moment[] {
  const random = randomOf(size.seed, kind);
  const count = share === 0 ? 0 : Math.max(1, Math.round(size.leases * share));
  return Array.from({ length: count }, (_, index) => {
    const atMs = spread(random, index, count, Math.min(FIRST_CHANGE_MS, size.durationMs), size.durationMs);
    return { atMs, operation: changeOf(kind, random, longestTtlMs(size, atMs)) };
  });
}

function changeOf(kind: Change, random: Random, longestMs: number): Operation {
  const pick = random.next();
  switch (kind) {
    case 'extend':
      return { do: kind, pick, ttlMs: wholeSeconds(Math.min(random.between(5_000, 40_000), longestMs)) };
    case 'shorten':
      return { do: kind, pick, ttlMs: wholeSeconds(random.between(1_000, 5_000)) };
    case 'revoke': {
      const howOften = random.next();
      return { do: kind, pick, times: howOften < 0.04 ? 10 : howOften < 0.1 ? 2 : 1 };
    }
    case 'bulk-revoke':
    case 'cancel':
    case 'terminate':
    case 'reset':
      return { do: kind, pick };
    case 'reload':
      return { do: kind, invalid: pick < 0.35 };
    case 'issue-too-long':
      return { do: kind, integration: random.oneOf(['aws', 'database', 'datadog']) };
  }
}

/** One in each of so many equal parts, anywhere within it. */
export function spread(random: Random, index: number, count: number, fromMs: number, toMs: number): number {
  return Math.round(fromMs + ((index + random.next()) / count) * (toMs - fromMs));
}

function wholeSeconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1_000)) * 1_000;
}
