import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** All byte fields of a history as text, however deep. */
export function historyText(value: unknown, seen = new Set<unknown>()): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || seen.has(value)) return '';
  seen.add(value);
  return Object.values(value)
    .map((each) => historyText(each, seen))
    .join('\n');
}

/** A value as it may stand in JSON, in a URL, or in base 64. */
export function spellings(value: string): string[] {
  return [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    Buffer.from(value).toString('base64').slice(0, -4),
  ];
}

/** Which of these values stands in which of these places, in any spelling. */
export function findLeaks(values: ReadonlyMap<string, string>, places: ReadonlyMap<string, string>): string[] {
  const leaks: string[] = [];
  for (const [place, text] of places) {
    for (const [name, value] of values) {
      if (spellings(value).some((spelling) => text.includes(spelling))) leaks.push(`${name} in ${place}`);
    }
  }
  return leaks;
}

export async function filesUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
