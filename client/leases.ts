import type { LeaseEnd, LeaseFailure, LeaseFailureType } from '../workflows/words';
import type { RecipientKeyPair } from '../sealing/recipient';
import type { LeaseSummary, SeenState } from '../temporal/seen-lease';
import type { LeaseQuery } from '../temporal/query';

export type { LeaseSummary, SeenState } from '../temporal/seen-lease';

/** A span of time: `90s`, `15m`, `1h30m`, `12h`, `7d`, or whole seconds. */
export type Ttl = string | number;

/** What every call that waits can be given. */
export interface CallOptions {
  /** Stops waiting; the call then throws LeaseError `Aborted`. */
  readonly signal?: AbortSignal;
  /** Longest wait in milliseconds. */
  readonly timeoutMs?: number;
}

export interface IssueRequest extends CallOptions {
  readonly project: string;
  readonly config: string;
  /** Name of the dynamic secret, e.g. `S3_UPLOADS`. */
  readonly dynamicSecret: string;
  /** Default: the dynamic secret's own. A TTL out of its range is refused, never cut. */
  readonly ttl?: Ttl;
  /** Who the lease is for, as this program asserts it. Kept and shown as `library:<holder>`; over HTTP it is whom the token stands for. */
  readonly holder: string;
  /** Issuing again with the same key, holder and dynamic secret makes no second credential. 1 to 255 printable characters. */
  readonly idempotencyKey?: string;
  /**
   * The key pair to which the credential is sealed. Default: a fresh one for each call, which is right unless a call with an
   * idempotency key shall be able to get the same credential again.
   */
  readonly recipient?: RecipientKeyPair;
}

export interface RevokeOptions extends CallOptions {
  /** Who asks. Kept and shown as `library:<by>`. */
  readonly by?: string;
  /** Kept and shown with the lease; everything after 200 characters is dropped. */
  readonly reason?: string;
  /**
   * Whether to wait until the provider confirmed the removal; a number waits at most so many milliseconds. Default false: the
   * revoke is accepted and cannot be lost.
   */
  readonly wait?: boolean | number;
}

/** Answer of a revoke. */
export interface Revocation {
  readonly leaseId: string;
  /** `accepted`: asked for and certain to happen, not confirmed yet. Else how the lease really ended, `expired` for instance. */
  readonly state: 'accepted' | LeaseEnd;
  /** Null while only accepted, as are the following. */
  readonly endedAt: Date | null;
  readonly endedBy: string | null;
  readonly reason: string | null;
}

/** A summary with how the lease ended. */
export interface LeaseReport extends LeaseSummary {
  /** Who asked for the end, and why; null if nobody did or the lease runs. */
  readonly endedBy: string | null;
  readonly reason: string | null;
  /** Why nothing was issued; null otherwise. */
  readonly failure: LeaseFailure | null;
}

/** All given filters must hold. */
export interface LeaseFilter extends Omit<LeaseQuery, 'state'> {
  readonly state?: SeenState;
  /** Leases fetched at once, 1 to 1,000. */
  readonly pageSize?: number;
}

/**
 * An issued lease. Printing it, or writing it as JSON, shows no credential: `credential` is not enumerable and prints as its
 * names only. Reading, spreading or serialising `lease.credential` itself gives the values.
 */
export interface Lease {
  readonly leaseId: string;
  /** When removal begins, as of issuing; `extend` answers the new instant. */
  readonly expiresAt: Date;
  /** When the provider was seen to honour the credential; null: not known. */
  readonly usableAt: Date | null;
  /** Upper-case environment names and their values. Nobody else has it and it cannot be asked for again. */
  readonly credential: Readonly<Record<string, string>>;
  /** Non-secret facts, e.g. the user's ARN. */
  readonly facts: Readonly<Record<string, string>>;
  /** What a revoke cannot recall, in sentences. */
  readonly notes: readonly string[];
  /** See {@link Leases.extend}. */
  extend(ttl: Ttl, options?: CallOptions): Promise<Date>;
  /** See {@link Leases.revoke}. */
  revoke(options?: RevokeOptions): Promise<Revocation>;
}

/** One-off credentials that are removed when their lease ends. All methods throw LeaseError and nothing else. */
export interface Leases {
  /**
   * Makes a credential and hands it to this caller alone. Waits at most 75 s unless `timeoutMs` says otherwise. If the caller
   * aborts, or nobody answers in time, what was made is revoked and not left to its TTL.
   */
  issue(request: IssueRequest): Promise<Lease>;
  /**
   * Moves the end of an active lease to `ttl` from now, later or earlier.
   * @returns the new expiry.
   */
  extend(leaseId: string, ttl: Ttl, options?: CallOptions): Promise<Date>;
  /** Ends a lease now. Revoking one that has ended, or is being revoked, succeeds. */
  revoke(leaseId: string, options?: RevokeOptions): Promise<Revocation>;
  /** One lease, as of now. */
  get(leaseId: string): Promise<LeaseReport>;
  /** Leases, newest first, as the index knows them: it lags by a moment. Can be iterated more than once. */
  list(filter?: LeaseFilter): AsyncIterable<LeaseSummary>;
}

/**
 * Why a call failed. Beside what the workers and providers refuse: `LeaseNotFound`, `Aborted` by the caller, `Timeout` of anything
 * but an issue (that is `IssueTimeout`), `SealingFailed`: the answer could not be opened, and over HTTP `Unauthenticated`: the token is
 * missing, wrong or expired, `Forbidden`: it lacks the right, and `NotFound` also of a config, a block or a revocation that is not there.
 */
export type LeaseErrorCode =
  LeaseFailureType | 'LeaseNotFound' | 'Aborted' | 'Timeout' | 'SealingFailed' | 'Unauthenticated' | 'Forbidden';

/**
 * What became of a lease whose credential did not reach the caller. `revoke accepted`: it will be removed. `ended`: it has ended by
 * itself. `nothing started`: there was no lease. `left alone`: another caller with the same idempotency key started it, or may
 * hold its credential. `unknown`: Temporal did not confirm; if there is a lease, it ends by its TTL.
 */
export type Undelivered = 'revoke accepted' | 'ended' | 'nothing started' | 'left alone' | 'unknown';

export interface LeaseErrorFacts {
  readonly leaseId?: string;
  /** Which field of the input was wrong. */
  readonly field?: string;
  /** Of `LeaseEnded`: the state that was found. */
  readonly state?: SeenState;
  /** Of a failed issue that may have made something. */
  readonly undelivered?: Undelivered;
}

/** The only error that `Leases` throws. Its message is safe to show and to log; it has no cause. */
export class LeaseError extends Error {
  override readonly name = 'LeaseError';
  readonly leaseId: string | undefined;
  readonly field: string | undefined;
  readonly state: SeenState | undefined;
  readonly undelivered: Undelivered | undefined;

  constructor(
    readonly code: LeaseErrorCode,
    message: string,
    facts: LeaseErrorFacts = {},
  ) {
    super(message);
    this.leaseId = facts.leaseId;
    this.field = facts.field;
    this.state = facts.state;
    this.undelivered = facts.undelivered;
  }
}
