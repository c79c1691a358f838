import type { HolderName, IntegrationName } from './plan-types';

/** A delivered credential, in memory alone, and what its holder may expect of it. */
export interface Holding {
  readonly leaseId: string;
  readonly holder: HolderName;
  readonly integration: IntegrationName;
  readonly credential: Readonly<Record<string, string>>;
  /** When it was asked for. */
  readonly askedAt: number;
  /** The expiry as far as its holder knows, of two that may be in force the earlier one; the past once its end was asked for. */
  worksUntil: number;
}

/** What has been delivered in a run. */
export interface Holdings {
  /** Newest last. */
  readonly holdings: readonly Holding[];
  /** Those that should work now, oldest first. */
  live(): readonly Holding[];
  find(leaseId: string): Holding | undefined;
  add(holding: Holding): void;
  move(leaseId: string, worksUntil: number): void;
  /** From now on it may be gone at any time. */
  endAsked(leaseId: string): void;
  /** All that this holder has of the integration, and gets by what is asked for until `over` is called. */
  endAllAsked(
    holder: HolderName,
    integration: IntegrationName,
  ): { readonly leaseIds: readonly string[]; readonly over: () => void };
}

/** More than the longest TTL there is and all that an answer may take: older ones need not be looked at. */
const LONGEST_LIFE_MS = 5 * 60_000;

export function createHoldings(): Holdings {
  const holdings: Holding[] = [];
  const byLease = new Map<string, Holding>();
  const closing: { holder: HolderName; integration: IntegrationName; until: number }[] = [];
  const endAsked = (holding: Holding | undefined): void => {
    if (holding !== undefined) holding.worksUntil = Math.min(holding.worksUntil, Date.now());
  };
  const live = (): readonly Holding[] => {
    const now = Date.now();
    const first = holdings.findLastIndex(({ askedAt }) => askedAt < now - LONGEST_LIFE_MS) + 1;
    return holdings.slice(first).filter(({ worksUntil }) => worksUntil > now);
  };
  return {
    holdings,
    live,
    find: (leaseId) => byLease.get(leaseId),
    add: (holding) => {
      // Callers who share an idempotency key get the same one: what is known of it by now stays.
      if (byLease.has(holding.leaseId)) return;
      byLease.set(holding.leaseId, holding);
      holdings.push(holding);
      const { holder, integration, askedAt } = holding;
      const isMeant = closing.some(
        (each) => each.holder === holder && each.integration === integration && askedAt <= each.until,
      );
      if (isMeant) endAsked(holding);
    },
    move: (leaseId, worksUntil) => {
      const holding = byLease.get(leaseId);
      if (holding !== undefined) holding.worksUntil = worksUntil;
    },
    endAsked: (leaseId) => {
      endAsked(byLease.get(leaseId));
    },
    endAllAsked: (holder, integration) => {
      const meant = { holder, integration, until: Infinity };
      closing.push(meant);
      const found = live().filter((each) => each.holder === holder && each.integration === integration);
      found.forEach(endAsked);
      return {
        leaseIds: found.map(({ leaseId }) => leaseId),
        over: () => {
          meant.until = Date.now();
        },
      };
    },
  };
}
