import { LeaseError } from '../client/http';
import type { HttpLeases, Lease, OfferedSecret } from '../client/http';
import { checkTtlRange } from '../workflows/ttl';
import type { Place } from './access';
import { UsageError } from './exit';

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
    if (problem !== null) throw new UsageError(`${dynamicSecret}: ${problem}`);
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
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const causes: Error[] = [];
  const issues = names.map(async (dynamicSecret) => {
    try {
      const spans = ttl === undefined ? {} : { ttl };
      return [dynamicSecret, await leases.issue({ ...place, dynamicSecret, signal: either, ...spans })] as const;
    } catch (error) {
      // The others fail because of the first.
      causes.push(named(dynamicSecret, names.length > 1, error));
      failure.abort();
      return null;
    }
  });
  const made = new Map((await Promise.all(issues)).filter((each) => each !== null));
  if (made.size === names.length && !signal.aborted) return made;
  await giveBack(made.values(), 'not all could be leased');
  throw causes[0] ?? new LeaseError('Aborted', 'It was called off: what was leased is being revoked.');
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
      process.stderr.write(
        `Lease ${lease.leaseId} could not be revoked and ends at ${lease.expiresAt.toISOString()}.${why}\n`,
      );
      return false;
    }
  };
  return (await Promise.all([...leases].map(revoke))).every(Boolean);
}

function named(dynamicSecret: string, isOneOfMany: boolean, error: unknown): Error {
  if (!(error instanceof LeaseError)) return error instanceof Error ? error : new Error('unknown');
  const { code, message, leaseId, field, state, undelivered } = error;
  const rest = isOneOfMany ? ' None of the others was handed out either.' : '';
  return new LeaseError(code, `${dynamicSecret}: ${message}${rest}`, {
    ...(leaseId === undefined ? {} : { leaseId }),
    ...(field === undefined ? {} : { field }),
    ...(state === undefined ? {} : { state }),
    ...(undelivered === undefined ? {} : { undelivered }),
  });
}
