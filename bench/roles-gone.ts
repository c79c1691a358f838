import { setTimeout as sleep } from 'node:timers/promises';
import { escapeLiteral } from 'pg';
import type { Provider } from './provider';

/** Which of these login roles PostgreSQL still has. */
export async function rolesLeft(
  provider: Pick<Provider, 'query'>,
  roles: readonly string[],
): Promise<ReadonlySet<string>> {
  if (roles.length === 0) return new Set();
  const names = roles.map((role) => escapeLiteral(role)).join(', ');
  const rows = await provider.query(`SELECT rolname FROM pg_authid WHERE rolname IN (${names})`);
  return new Set(rows.map((row) => String(row['rolname'])));
}

export interface GoneOptions {
  readonly everyMs: number;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/**
 * Looks until PostgreSQL has none of these roles any more. Answers for each the instant (`performance.now()`) at which it was first
 * seen to be gone.
 * @throws if one is left when the time is over.
 */
export async function untilGone(
  provider: Pick<Provider, 'query'>,
  roles: readonly string[],
  { everyMs, withinMs, signal }: GoneOptions,
): Promise<readonly number[]> {
  const until = performance.now() + withinMs;
  const gone: number[] = [];
  let left: readonly string[] = roles;
  for (;;) {
    const there = await rolesLeft(provider, left);
    const now = performance.now();
    for (const role of left) if (!there.has(role)) gone.push(now);
    left = left.filter((role) => there.has(role));
    if (left.length === 0) return gone;
    if (now > until) {
      throw new Error(
        `${left.length} of ${roles.length} roles whose leases have ended are still there after ${withinMs / 1_000} s.`,
      );
    }
    await sleep(everyMs, undefined, { signal });
  }
}
