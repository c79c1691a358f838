const LONGEST = 40;

/**
 * A value from outside, made fit for a sentence: shortened, and without control, direction or combining characters. Not for
 * values that may be secret.
 */
export function quote(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined) {
    return String(value);
  }
  if (typeof value !== 'string') return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
  const characters = Array.from(value.slice(0, 2 * LONGEST + 1));
  const shown = characters.length > LONGEST ? [...characters.slice(0, LONGEST - 1), '…'] : characters;
  const clean = shown.join('').replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?');
  return `"${clean.replaceAll('"', "'")}"`;
}
