import { createHash } from 'node:crypto';

const DIGITS = 8;

/**
 * By which people see whether two processes run the same configuration: 8 hex digits of what the file says. How it is laid out,
 * its comments and the order of its keys do not count. References count as they are written.
 */
export function hashConfig(document: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(inOrder(document)))
    .digest('hex')
    .slice(0, DIGITS);
}

/** With the keys of every map in one order. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  // As pairs: a map would move keys that look like numbers to its front.
  return { map: entries.map(([key, each]) => [key, inOrder(each)]) };
}
