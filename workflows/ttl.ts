import { quote } from './quote';

/** The longest TTL that can be written at all: what each dynamic secret allows is less. */
export const MAX_TTL_MS = 365 * 86_400_000;

/** A text or number that is no TTL. The message says what is wrong with it and what is allowed. */
export class TtlError extends Error {
  override readonly name = 'TtlError';
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;
const COUNT = '(0|[1-9][0-9]{0,15})';
const WRITTEN = new RegExp(`^${UNITS.map(([unit]) => `(?:${COUNT}${unit})?`).join('')}$`);
const SECONDS = new RegExp(`^${COUNT}$`);
const ALLOWED =
  'Allowed are durations such as 90s, 15m, 1h30m, 12h, 7d or 1d12h, with the units d, h, m and s in this order, and whole seconds';

/**
 * The milliseconds of a TTL as people write it: `90s`, `15m`, `1h30m`, `7d`, or whole seconds as a number or in digits.
 * @throws TtlError for everything else, for nothing and for more than {@link MAX_TTL_MS}.
 */
export function parseTtl(value: unknown): number {
  const ms = typeof value === 'number' ? value * 1_000 : typeof value === 'string' ? readText(value) : undefined;
  if (ms === undefined || Number.isNaN(ms)) throw refusal(value, 'is not a duration');
  if (ms <= 0) throw refusal(value, 'is not more than 0');
  if (ms > MAX_TTL_MS) throw refusal(value, `is longer than ${formatTtl(MAX_TTL_MS)}`);
  if (typeof value === 'number' && !Number.isInteger(value)) throw refusal(value, 'has a fraction of a second');
  return ms;
}

/** As {@link parseTtl} reads it, in the largest units: `1h30m`. Rounded down to whole seconds. */
export function formatTtl(ms: number): string {
  if (!Number.isFinite(ms)) return String(ms);
  let left = Math.floor(Math.abs(ms) / 1_000) * 1_000;
  let text = '';
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : `${ms < 0 ? '-' : ''}${text}`;
}

/** Null if the TTL is allowed, else a sentence with the range that is. All in milliseconds, both ends included. */
export function checkTtlRange(ttlMs: number, minMs: number, maxMs: number): string | null {
  if (Number.isSafeInteger(ttlMs) && ttlMs >= minMs && ttlMs <= maxMs) return null;
  const shown = Number.isSafeInteger(ttlMs) && ttlMs % 1_000 === 0 ? formatTtl(ttlMs) : `${quote(ttlMs)} ms`;
  return `A TTL of ${shown} is not allowed: it must be from ${formatTtl(minMs)} to ${formatTtl(maxMs)}.`;
}

function readText(text: string): number | undefined {
  if (SECONDS.test(text)) return Number(text) * 1_000;
  const counts = text === '' ? null : WRITTEN.exec(text);
  if (counts === null) return undefined;
  return UNITS.reduce((sum, [, size], index) => sum + Number(counts[index + 1] ?? 0) * size, 0);
}

function refusal(value: unknown, problem: string): TtlError {
  return new TtlError(`${quote(value)} ${problem}. ${ALLOWED}, from 1s to ${formatTtl(MAX_TTL_MS)}.`);
}
