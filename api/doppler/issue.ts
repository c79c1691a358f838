import { LeaseError } from '../../client/leases';
import type { Lease } from '../../client/leases';
import { checkTtlRange } from '../../workflows/ttl';
import type { ApiDeps } from '../deps';
import type { Identity } from '../identity/identity';
import { takeBack, UNDELIVERED } from '../take-back';
import type { Place } from '../place';

/** Leases of one request, by the names of their dynamic secrets. */
export type Leased = ReadonlyMap<string, Lease>;

export interface Wish {
  readonly place: Place;
  readonly identity: Identity;
  /** Of dynamic secrets. */
  readonly names: readonly string[];
  /** Null: each one's own. */
  readonly ttlMs: number | null;
}

/**
 * Refuses a TTL that one of the dynamic secrets does not allow, before anything is begun.
 * @throws LeaseError `InvalidTtl`
 */
export function checkTtl({ place, names, ttlMs }: Omit<Wish, 'identity'>, field: string): void {
  if (ttlMs === null) return;
  for (const name of names) {
    const dynamicSecret = place.settings.dynamicSecrets[name];
    if (dynamicSecret === undefined) continue;
    const problem = checkTtlRange(ttlMs, dynamicSecret.minTtlMs, dynamicSecret.maxTtlMs);
    if (problem !== null) throw new LeaseError('InvalidTtl', `${name}: ${problem}`, { field });
  }
}

/**
 * Issues all at the same time. If one cannot be, or the signal says so, none is left: those that were made are revoked by the time
 * this fails.
 */
export async function issueTogether(
  deps: ApiDeps,
  { reachTemporal }: { readonly reachTemporal: () => Promise<void> },
  { place, identity, names, ttlMs }: Wish,
  signal: AbortSignal,
): Promise<Leased> {
  await reachTemporal();
  const abort = new AbortController();
  const either = AbortSignal.any([signal, abort.signal]);
  const causes: Error[] = [];
  const issues = names.map(async (name) => {
    try {
      const lease = await deps.leases.issue({
        project: place.project,
        config: place.config,
        dynamicSecret: name,
        holder: identity.holder,
        signal: either,
        ...(ttlMs === null ? {} : { ttl: ttlMs / 1_000 }),
      });
      return [name, lease] as const;
    } catch (error) {
      // The others fail because of the first.
      causes.push(named(name, names.length > 1, error));
      abort.abort();
      return null;
    }
  });
  const leased = new Map((await Promise.all(issues)).filter((each) => each !== null));
  if (leased.size === names.length && !signal.aborted) return leased;
  await giveBack(deps, leased);
  throw causes[0] ?? new LeaseError('Aborted', 'The caller is gone: what was issued is revoked.');
}

/** Revokes leases that nobody got. Does not fail. */
export async function giveBack(deps: ApiDeps, leased: Leased): Promise<void> {
  const revoke = (lease: Lease): Promise<void> =>
    takeBack(deps, lease.leaseId, () => lease.revoke({ reason: UNDELIVERED }));
  await Promise.all([...leased.values()].map(revoke));
}

function named(name: string, isOneOfMany: boolean, error: unknown): Error {
  if (!(error instanceof LeaseError)) return error instanceof Error ? error : new Error('unknown');
  const { code, message, leaseId, field, state, undelivered } = error;
  const rest = isOneOfMany ? ' None of the others was handed out either.' : '';
  return new LeaseError(code, `${name}: ${message}${rest}`, {
    ...(leaseId === undefined ? {} : { leaseId }),
    ...(field === undefined ? {} : { field }),
    ...(state === undefined ? {} : { state }),
    ...(undelivered === undefined ? {} : { undelivered }),
  });
}
