/** The promises of docs/design.md, and two that go without saying: the audit log is whole, and programs do not crash. */
export const PROMISES = ['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8', 'audit', 'programs'] as const;
export type PromiseName = (typeof PROMISES)[number];

export interface Violation {
  readonly promise: PromiseName;
  readonly leaseId: string | null;
  /** A sentence with the instants that prove it. */
  readonly what: string;
}

/** Durations in milliseconds; null where there was none. */
export interface Lag {
  readonly count: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  /** Of the longest. */
  readonly leaseId: string | null;
}

export interface Lags {
  /** From the expiry to the removal at the provider. */
  readonly pastExpiry: Lag;
  /** The same where no fault of that provider, of Temporal or of a worker was met on the way. */
  readonly pastExpiryUndisturbed: Lag;
  /** From a revoke to the removal at the provider. */
  readonly afterRevoke: Lag;
  /** From the end of a provider's outage to the removal of what was due by then, whatever else was wrong meanwhile. */
  readonly afterOutage: Lag;
  /** Of that, the time in which no other fault was felt. */
  readonly afterOutageAlone: Lag;
  /** From the end of an outage of Temporal to the removal of what was due by then. */
  readonly afterTemporal: Lag;
  /** The same where a worker had been stopped or killed, though the other one may have done it. */
  readonly afterWorker: Lag;
  /** From the end of all faults to the removal of what was due before. */
  readonly afterHealing: Lag;
  /** From a termination to the removal by the sweep. */
  readonly afterTermination: Lag;
}

/** What `check` answers. */
export interface Report {
  readonly violations: readonly Violation[];
  /** How much each promise was judged by: a rule that nothing came by has shown nothing. */
  readonly judged: Readonly<Record<PromiseName, number>>;
  readonly lags: Lags;
}
