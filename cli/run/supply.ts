import type { HttpLeases } from '../../client/http';
import type { RunFlags } from '../commands/run';

/** The running program, as far as its leases have to do with it. */
export interface Supplied {
  /** Ends it and starts it again with these variables. Does nothing once it has ended. */
  restart(environment: Readonly<Record<string, string>>): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

/** What a program gets. */
export interface Supply {
  /** All its variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** Once it runs: from then on it is told of fresh credentials, or of an end, as `--on-expiry` says. */
  attach(program: Supplied): void;
  /** Ends all leases and removes the mount. Takes 15 s or so at most and never fails: what is left is told on standard error. */
  close(): Promise<void>;
}

/**
 * Leases what the program is to have: all of it, or nothing is left.
 * @param signal gives it up; then LeaseError `Aborted`.
 * @throws UsageError, AuthError, LeaseError
 */
export function openSupply(leases: HttpLeases, flags: RunFlags, signal: AbortSignal): Promise<Supply> {
  return Promise.reject(new Error(`not there yet: ${String([leases, flags, signal].length)}`));
}
