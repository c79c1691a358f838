/** How patient the integration is. All in milliseconds. */
export interface Pace {
  /** For a connection to be there, from the first packet to the server's welcome. */
  readonly connectMs: number;
  /** For the answer to a statement that changes nothing. */
  readonly readMs: number;
  /** After which the server itself gives a changing statement up. Never beyond the attempt. */
  readonly statementMs: number;
  /** The same for each lock that a statement waits for. */
  readonly lockMs: number;
  /** By how much the worker waits longer than the server, so that it hears of it. */
  readonly graceMs: number;
  /** How long after it was sent a statement may still take effect. */
  readonly validMs: number;
  /** Between two looks for sessions that are ending. */
  readonly sessionsMs: number;
  /** How long a connection that nobody uses is kept. */
  readonly idleMs: number;
}

export const PACE: Pace = {
  connectMs: 5_000,
  readMs: 8_000,
  statementMs: 10_000,
  lockMs: 4_000,
  graceMs: 1_500,
  validMs: 10_000,
  sessionsMs: 25,
  idleMs: 30_000,
};
