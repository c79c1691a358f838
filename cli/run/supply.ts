import type { HttpLeases } from '../../client/http';
import { allVariables } from '../../config/environment';
import { findPlace } from '../access';
import type { RunFlags } from '../commands/run';
import { readSeconds } from '../ttl';
import type { Child, Environment } from './child';
import { openLeasing } from './leasing';

/** What a program gets. */
export interface Supply {
  /** All its variables. */
  readonly environment: Environment;
  /** Once it runs: from then on it is told of fresh credentials, or of an end. */
  attach(program: Pick<Child, 'restart' | 'signal'>): void;
  /** Ends all leases. Never fails: what is left is told on standard error. */
  close(): Promise<void>;
}

/**
 * Leases what the program is to have: all of it, or nothing is left.
 * @param signal gives it up; then LeaseError `Aborted`.
 * @throws UsageError, AuthError, LeaseError
 */
export async function openSupply(leases: HttpLeases, flags: RunFlags, signal: AbortSignal): Promise<Supply> {
  const ttl = flags.dynamicTtl === undefined ? undefined : readSeconds(flags.dynamicTtl, '--ttl');
  const place = await findPlace(leases, flags);
  const [{ values: statics }, offered] = await Promise.all([
    leases.secrets(place.project, place.config),
    leases.offered(place.project, place.config),
  ]);
  const names = offered.map(({ dynamicSecret }) => dynamicSecret);
  const leasing = await openLeasing(leases, { place, names, ttl, signal });
  return {
    environment: { ...allVariables(), ...statics, ...Object.fromEntries(leasing.values) },
    attach: () => undefined,
    close: () => leasing.close(),
  };
}
