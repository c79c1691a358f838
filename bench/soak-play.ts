import { setTimeout as sleep } from 'node:timers/promises';
import type { Lease } from '../client/leases';
import type { Ledger } from './soak-ledger';
import { lifeOf } from './soak-life';
import type { Life } from './soak-life';

/** What was done to leases, as it is being done. */
export interface Deeds {
  /** Leases that were begun. */
  begun: number;
  /** How long each took, in milliseconds. */
  readonly issues: Readonly<Record<Life['over'], number[]>>;
  extended: number;
  revoked: number;
  leftToExpire: number;
  /** Sentences, one for each call that failed. */
  readonly failures: string[];
}

export interface PlayOptions {
  readonly issue: Readonly<Record<Life['over'], (ttl: number) => Promise<Lease>>>;
  readonly ledger: Ledger;
  readonly deeds: Deeds;
  /** Begun, as long as issuing keeps up. */
  readonly perSecond: number;
  /** `performance.now()` after which no more are begun. */
  readonly until: number;
  readonly signal: AbortSignal;
}

/** No more are begun while so many wait for their credential: what cannot keep the rate is not flooded. */
const ISSUING_AT_MOST = 30;
const LOOK_AGAIN_MS = 20;

export function beginDeeds(): Deeds {
  return { begun: 0, issues: { library: [], http: [] }, extended: 0, revoked: 0, leftToExpire: 0, failures: [] };
}

/**
 * Begins leases at a steady rate and does to each what its life says. Resolves once nothing more is to be
 * done to any; those that are left to their expiry live on. Calls that fail are written down and end nothing.
 */
export async function playLives(options: PlayOptions): Promise<void> {
  const { perSecond, until, deeds, signal } = options;
  const began = performance.now();
  const lives = new Set<Promise<void>>();
  let issuing = 0;
  while (performance.now() < until) {
    const due = began + (deeds.begun / perSecond) * 1_000;
    await sleep(Math.max(0, due - performance.now()), undefined, { signal });
    while (issuing >= ISSUING_AT_MOST) await sleep(LOOK_AGAIN_MS, undefined, { signal });
    issuing += 1;
    const life = live(lifeOf(deeds.begun), options, () => {
      issuing -= 1;
    });
    // One that was aborted is awaited below, or by nobody when another has failed first.
    life.catch(() => undefined);
    lives.add(life);
    void life.then(
      () => lives.delete(life),
      () => undefined,
    );
    deeds.begun += 1;
  }
  await Promise.all(lives);
}

async function live(life: Life, options: PlayOptions, isIssued: () => void): Promise<void> {
  const { ledger, deeds, signal } = options;
  const lease = await issue(life, options).finally(isIssued);
  if (lease === null) return;
  const role = lease.facts['role'] ?? '';
  const { extendAfterMs, revokeAfterMs } = life;
  if (extendAfterMs !== null) {
    await sleep(extendAfterMs, undefined, { signal });
    const expiresAt = await attempt(deeds, () => lease.extend(life.ttlMs / 1_000));
    if (expiresAt !== null) {
      ledger.moved(role, expiresAt.getTime());
      deeds.extended += 1;
    }
  }
  if (revokeAfterMs === null) {
    deeds.leftToExpire += 1;
    return;
  }
  await sleep(revokeAfterMs - (extendAfterMs ?? 0), undefined, { signal });
  ledger.revoking(role, Date.now());
  if ((await attempt(deeds, () => lease.revoke())) !== null) deeds.revoked += 1;
}

async function issue(
  { over, ttlMs }: Life,
  { issue: by, ledger, deeds }: Pick<PlayOptions, 'issue' | 'ledger' | 'deeds'>,
): Promise<Lease | null> {
  const began = performance.now();
  const lease = await attempt(deeds, () => by[over](ttlMs / 1_000));
  if (lease === null) return null;
  deeds.issues[over].push(performance.now() - began);
  ledger.issued(lease.facts['role'] ?? '', Date.now(), lease.expiresAt.getTime());
  return lease;
}

/** Null: it failed, which is written down. */
async function attempt<T>({ failures }: Deeds, act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
    return null;
  }
}
