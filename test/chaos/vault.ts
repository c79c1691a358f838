import type { IntegrationName } from './plan-types';

/** A delivered credential, kept to be used. It is in memory alone: whatever is written down is searched for it. */
export interface Holding {
  readonly leaseId: string;
  readonly integration: IntegrationName;
  readonly credential: Readonly<Record<string, string>>;
  /** As far as its holder knows; moved by extensions, and by an end that was asked for. */
  worksUntil: number;
}

/** What has been delivered in a run, in memory alone. */
export interface Vault {
  keep(holding: Holding): void;
  /** The holding of a lease; undefined: none was delivered. */
  find(leaseId: string): Holding | undefined;
  /** Newest last. */
  readonly holdings: readonly Holding[];
}

export function createVault(): Vault {
  const holdings: Holding[] = [];
  const byLease = new Map<string, Holding>();
  return {
    keep: (holding) => {
      if (byLease.has(holding.leaseId)) return;
      byLease.set(holding.leaseId, holding);
      holdings.push(holding);
    },
    find: (leaseId) => byLease.get(leaseId),
    holdings,
  };
}
