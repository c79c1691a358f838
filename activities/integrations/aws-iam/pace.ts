/** How patiently one attempt deals with IAM being eventually consistent. All in milliseconds. */
export interface Pace {
  /** First pause before asking again; it doubles up to `longestPauseMs`. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** How long a user just made may stay unseen by the next call. */
  readonly visibleWithinMs: number;
  /** From when on a policy or group that IAM does not find is taken to be missing, the user itself being seen. */
  readonly missingAfterMs: number;
  /** From when on a refused call is taken to be refused for good, the user that was just made being seen. */
  readonly refusedAfterMs: number;
  /** Between two calls that try a new key. */
  readonly usableEveryMs: number;
  /** What is left of the attempt for its answer when waiting ends. */
  readonly reserveMs: number;
}

export const PACE: Pace = {
  firstPauseMs: 500,
  longestPauseMs: 4_000,
  visibleWithinMs: 30_000,
  missingAfterMs: 10_000,
  refusedAfterMs: 5_000,
  usableEveryMs: 400,
  reserveMs: 2_000,
};
