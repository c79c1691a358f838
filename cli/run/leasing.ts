import type { HttpLeases, Lease } from '../../client/http';
import { flatten } from '../../flat/flatten';
import type { Place } from '../access';

export interface LeasingRequest {
  readonly place: Place;
  /** Names of dynamic secrets. */
  readonly names: readonly string[];
  /** Seconds; undefined: each dynamic secret's own. */
  readonly ttl: number | undefined;
  /** Gives up what is being leased. */
  readonly signal: AbortSignal;
}

/** The leases of a program. */
export interface Leasing {
  /** By flat name, the lease's id and end among them. */
  readonly values: ReadonlyMap<string, string>;
  /** Revokes all. Never fails: what could not be revoked is told on standard error and ends by its TTL. */
  close(): Promise<void>;
}

/** Leases all, or none. @throws LeaseError */
export async function openLeasing(leases: HttpLeases, request: LeasingRequest): Promise<Leasing> {
  const { place, names, ttl, signal } = request;
  const made = new Map<string, Lease>();
  for (const dynamicSecret of names) {
    const lease = await leases.issue({ ...place, dynamicSecret, signal, ...(ttl === undefined ? {} : { ttl }) });
    made.set(dynamicSecret, lease);
  }
  return {
    values: new Map([...made].flatMap(([name, lease]) => [...flatten(name, lease)])),
    close: async () => {
      await Promise.allSettled([...made.values()].map((lease) => lease.revoke({ reason: 'the program has ended' })));
    },
  };
}
