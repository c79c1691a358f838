/**
 * Leases that end in the same minute share one turn at Temporal's queues, where it is fair (`matching.enableFairness`): when many
 * expire at once a new lease does not wait for all of them, nor an expiry for a flood of new leases. Where it is not, this does nothing.
 * Of a lease with its dynamic secret's default TTL the caller does not know the end: those begun in the same minute share a turn.
 * @param now in milliseconds of the epoch.
 */
export function fairnessKeyOf(ttlMs: number | null, now: number): string {
  const [what, instant] = ttlMs === null ? ['begins', now] : ['ends', now + ttlMs];
  return `${what} ${minuteOf(instant)}`;
}

/** As in `2026-11-26T23:59Z`. */
function minuteOf(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 16)}Z`;
}
