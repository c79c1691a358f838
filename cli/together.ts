import { setMaxListeners } from 'node:events';
import { LeaseError } from '../client/http';
import type { HttpLeases, Lease, OfferedSecret } from '../client/http';
import { checkTtlRange } from '../workflows/ttl';
import type { Place } from './access';
import { UsageError } from './exit';
import { tell } from './output/tell';

export interface TogetherRequest {
  readonly place: Place;
  /** Names of dynamic secrets. */
  readonly names: readonly string[];
  /** Seconds; undefined: each dynamic secret's own. */
  readonly ttl: number | undefined;
  /** Gives up what is being leased. */
  readonly signal: AbortSignal;
}

/** @throws UsageError of a TTL in seconds that one of the dynamic secrets does not allow, before anything is leased. */
export function checkTtlOf(secrets: readonly OfferedSecret[], ttl: number | undefined): void {
  if (ttl === undefined) return;
  for (const { dynamicSecret, minTtlMs, maxTtlMs } of secrets) {
    const problem = checkTtlRange(ttl * 1_000, minTtlMs, maxTtlMs);
    if (problem !== null) throw new UsageError(`--ttl, for ${dynamicSecret}: ${problem} Nothing was leased.`);
  }
}

/**
 * Leases all at the same time, by the names of their dynamic secrets. If one cannot be had, or the signal says so, none is left:
 * those that were made are revoked by the time this fails.
 * @throws LeaseError
 */
export async function leaseTogether(
  leases: HttpLeases,
  { place, names, ttl, signal }: TogetherRequest,
): Promise<ReadonlyMap<string, Lease>> {
  const rest = names.length > 1 ? ' None of the others was handed out either.' : '';
  const issue = async (dynamicSecret: string, called: AbortSignal): Promise<readonly [string, Lease]> => {
    try {
      const spans = ttl === undefined ? {} : { ttl };
      return [dynamicSecret, await leases.issue({ ...place, dynamicSecret, signal: called, ...spans })];
    } catch (error) {
      throw nameIn(error, dynamicSecret, rest);
    }
  };
  const made = await allOrNone(
    names.map((name) => (called) => issue(name, called)),
    signal,
    (others) =>
      giveBack(
        others.map(([, lease]) => lease),
        'not all could be leased',
      ),
  );
  return new Map(made);
}

/**
 * Makes all at the same time. If one fails, or the signal says so, the others are called off, and what was made is given back by the
 * time this fails: with the first error, because of which the others may only have failed.
 */
export async function allOrNone<T>(
  makes: readonly ((signal: AbortSignal) => Promise<T>)[],
  signal: AbortSignal,
  giveBackAll: (made: readonly T[]) => Promise<unknown>,
): Promise<readonly T[]> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  // Each of many listens to it, which Node would warn of.
  setMaxListeners(0, either);
  const errors: unknown[] = [];
  const asked = await Promise.allSettled(
    makes.map((make) =>
      make(either).catch((error: unknown) => {
        errors.push(error);
        failure.abort();
        throw error;
      }),
    ),
  );
  const made = asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  if (errors.length === 0 && !signal.aborted) return made;
  await giveBackAll(made);
  if (errors.length > 0) throw errors[0];
  throw new LeaseError('Aborted', 'It was called off: what was leased is being revoked.');
}

/**
 * Revokes leases. Never fails: what could not be revoked is told on standard error, and ends by its TTL.
 * @returns whether all revokes were accepted.
 */
export async function giveBack(leases: Iterable<Lease>, reason: string): Promise<boolean> {
  const revoke = async (lease: Lease): Promise<boolean> => {
    try {
      await lease.revoke({ reason });
      return true;
    } catch (error) {
      const why = error instanceof LeaseError ? ` ${error.message}` : '';
      tell(`Lease ${lease.leaseId} could not be revoked and ends at ${lease.expiresAt.toISOString()}.${why}`);
      return false;
    }
  };
  return (await Promise.all([...leases].map(revoke))).every(Boolean);
}

/** With the name of the dynamic secret before its sentence, and something behind it. */
export function nameIn(error: unknown, dynamicSecret: string, rest = ''): unknown {
  if (!(error instanceof LeaseError)) return error;
  const { code, message, leaseId, field, state, undelivered } = error;
  const name = message.includes(dynamicSecret) ? '' : `${dynamicSecret}: `;
  return new LeaseError(code, `${name}${message}${rest}`, {
    ...(leaseId === undefined ? {} : { leaseId }),
    ...(field === undefined ? {} : { field }),
    ...(state === undefined ? {} : { state }),
    ...(undelivered === undefined ? {} : { undelivered }),
  });
}
