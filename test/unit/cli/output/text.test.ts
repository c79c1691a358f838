import { printable, printableLines } from '../../../../cli/output/printable';
import { relative } from '../../../../cli/output/relative';
import { shorten, textWidth } from '../../../../cli/output/text-width';

const NOW = new Date('2030-01-01T12:00:00Z');

test.each([
  [0, 'now'],
  [400, 'now'],
  [1_000, 'in 1 second'],
  [-1_000, '1 second ago'],
  [89_000, 'in 89 seconds'],
  [12 * 60_000, 'in 12 minutes'],
  [12 * 60_000 - 300, 'in 12 minutes'],
  [3_600_000, 'in 60 minutes'],
  [-3 * 3_600_000, '3 hours ago'],
  [35 * 3_600_000, 'in 35 hours'],
  [36 * 3_600_000, 'in 2 days'],
  [365 * 86_400_000, 'in 365 days'],
])('%i ms from now is told as "%s"', (ms, text) => {
  expect(relative(new Date(NOW.getTime() + ms), NOW)).toBe(text);
});

test('letters, signs and accents of all languages stay, and what steers a terminal is shown', () => {
  expect(printable('Zoë – 界 🙂 ("x" | y)')).toBe('Zoë – 界 🙂 ("x" | y)');
  expect(printable('a\tb\r\nc\u0000\u001b]0;t\u0007\u200b\u2028')).toBe(
    'a\\tb\\r\\nc\\u{0}\\u{1b}]0;t\\u{7}\\u{200b}\\u{2028}',
  );
  expect(printable('\ud800')).toBe('\\u{d800}');
});

test('lines stay lines, each of them shown in the same way', () => {
  expect(printableLines('a\tb\n\u001b[2Jc\n')).toBe('a\\tb\n\\u{1b}[2Jc\n');
});

test.each([
  ['abc', 3],
  ['', 0],
  ['é', 1],
  ['e\u0301', 1],
  ['界界', 4],
  ['🙂!', 3],
])('%s fills its columns', (text, columns) => {
  expect(textWidth(text)).toBe(columns);
});

test('a text is cut between its letters, with a sign that it was', () => {
  expect(shorten('abcdef', 6)).toBe('abcdef');
  expect(shorten('abcdef', 5)).toBe('abcd…');
  expect(shorten('界界界', 5)).toBe('界界…');
  expect(shorten('界界界', 4)).toBe('界…');
  expect(shorten('abc', 1)).toBe('…');
  expect(shorten('abc', 0)).toBe('');
});
