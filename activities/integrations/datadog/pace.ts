/** How patiently one attempt deals with Datadog. All in milliseconds. */
export interface Pace {
  /** First pause before looking again whether a list shows what was done; it doubles up to `longestPauseMs`. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** Between two calls that try a new key. */
  readonly usableEveryMs: number;
  /** What is left of the attempt for its answer when waiting ends. */
  readonly reserveMs: number;
}

export const PACE: Pace = { firstPauseMs: 500, longestPauseMs: 4_000, usableEveryMs: 500, reserveMs: 2_000 };
