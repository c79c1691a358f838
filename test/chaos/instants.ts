/** All instants are of one machine's clock, read by several programs that round it to milliseconds each in their way. */
export const ROUNDING_MS = 20;

/** An instant for a sentence about a run, which lasts less than a day. */
export function time(instant: number): string {
  return Number.isFinite(instant) ? new Date(instant).toISOString().slice(11, 23) : 'never';
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
