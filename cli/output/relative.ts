/** From so many seconds on a span is told in this unit. */
const UNITS = [
  { from: 36 * 3_600, size: 86_400, name: 'day' },
  { from: 90 * 60, size: 3_600, name: 'hour' },
  { from: 90, size: 60, name: 'minute' },
  { from: 1, size: 1, name: 'second' },
] as const;

/** How far an instant is from now, for people: `in 12 minutes`, `3 hours ago`, `now`. */
export function relative(instant: Date, now: Date = new Date()): string {
  const seconds = Math.round((instant.getTime() - now.getTime()) / 1_000);
  const span = Math.abs(seconds);
  const unit = UNITS.find(({ from }) => span >= from);
  if (unit === undefined) return 'now';
  const count = Math.round(span / unit.size);
  const text = `${count} ${unit.name}${count === 1 ? '' : 's'}`;
  return seconds > 0 ? `in ${text}` : `${text} ago`;
}
