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
