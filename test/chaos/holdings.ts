import type { HolderName, IntegrationName } from './plan-types';

/** A delivered credential, in memory alone, and what its holder may expect of it. */
export interface Holding {
  readonly leaseId: string;
  readonly holder: HolderName;
  readonly integration: IntegrationName;
  readonly credential: Readonly<Record<string, string>>;
  /** See `IssueSeen`. */
  readonly identity: string;
  readonly askedAt: number;
  /** From when it should work. */
  readonly usableAt: number;
  /** The expiry in force as far as its holder knows: of two that may be, the earlier one. */
  readonly worksUntil: number;
  /** Whether somebody asked for its end, or may have. */
  readonly isEnding: boolean;
}

/** What is held now, as those know it who asked for it. */
export interface Holdings {
  /** Those whose expiry is not long past. */
  all(): readonly Holding[];
  /** Every value that was ever delivered, by what it is. */
  readonly credentials: ReadonlyMap<string, string>;
  add(holding: Omit<Holding, 'isEnding'>): void;
  move(leaseId: string, worksUntil: number): void;
  endAsked(leaseId: string): void;
  /** All that this holder has of the integration, and gets until `over` is called, which is when an issue asked for later is none of it. */
  endAllAsked(holder: HolderName, integration: IntegrationName): { readonly leaseIds: readonly string[]; over(): void };
}

/** For how long an expired one is remembered: whoever looks at uses wants to see them end. */
const REMEMBERED_MS = 30_000;

export function createHoldings(now: () => number = Date.now): Holdings {
  const held = new Map<string, Holding>();
  const credentials = new Map<string, string>();
  const closing = new Set<{ holder: HolderName; integration: IntegrationName; over: number }>();
  const change = (leaseId: string, what: Partial<Holding>): void => {
    const before = held.get(leaseId);
    if (before !== undefined) held.set(leaseId, { ...before, ...what });
  };
  return {
    credentials,
    all: () => {
      for (const [leaseId, { worksUntil }] of held) if (worksUntil + REMEMBERED_MS < now()) held.delete(leaseId);
      return [...held.values()];
    },
    add: (holding) => {
      const { holder, integration, leaseId } = holding;
      const isEnding = [...closing].some(
        (each) => each.holder === holder && each.integration === integration && holding.askedAt <= each.over,
      );
      // Given to two callers that share an idempotency key: what is known of it by now stays.
      if (!held.has(leaseId)) held.set(leaseId, { ...holding, isEnding });
      for (const [name, value] of Object.entries(holding.credential)) credentials.set(`${name} of ${leaseId}`, value);
    },
    move: (leaseId, worksUntil) => {
      change(leaseId, { worksUntil });
    },
    endAsked: (leaseId) => {
      change(leaseId, { isEnding: true });
    },
    endAllAsked: (holder, integration) => {
      const meant = { holder, integration, over: Infinity };
      closing.add(meant);
      const leaseIds = [...held.values()]
        .filter((each) => each.holder === holder && each.integration === integration && each.worksUntil > now())
        .map(({ leaseId }) => leaseId);
      for (const leaseId of leaseIds) change(leaseId, { isEnding: true });
      return {
        leaseIds,
        over: () => {
          meant.over = now();
        },
      };
    },
  };
}
