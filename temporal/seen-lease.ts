import type { LeaseState } from '../workflows/words';

// Apart from what speaks to Temporal: whoever leases over HTTP has these types, and no package of Temporal.

/**
 * A lease's state as a client sees it. `terminated`: its workflow was terminated or timed out in Temporal, so that no removal
 * ran and none will; the credential may still work at the provider.
 */
export type SeenState = LeaseState | 'terminated';

export interface LeaseSummary {
  readonly leaseId: string;
  readonly state: SeenState;
  readonly project: string;
  readonly config: string;
  readonly dynamicSecret: string;
  /** Null until planned, as is `entity`. */
  readonly integration: string | null;
  readonly holder: string;
  /** Name of what was made at the provider. */
  readonly entity: string | null;
  readonly requestedAt: Date;
  /** When the lease ends, or was to end; null if it was never issued. */
  readonly expiresAt: Date | null;
  readonly endedAt: Date | null;
}
