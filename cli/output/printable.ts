const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A text from elsewhere as a terminal may be given it: what would move its cursor, change its colours or turn the direction of
 * writing is shown as an escape, `\n` or `\u{1b}`.
 */
export function printable(text: string): string {
  return text.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (character) => {
    return NAMED[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** The same of several lines, which stay such. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
