import { createStyle } from '../../../../cli/output/style';
import { table } from '../../../../cli/output/table';

const ANY = { width: undefined };

function linesOf(text: string): readonly string[] {
  expect(text.endsWith('\n')).toBe(true);
  return text.slice(0, -1).split('\n');
}

test('columns are aligned, without spaces at the ends of lines', () => {
  const text = table(
    ['LEASE', 'STATE', 'ENDS'],
    [
      ['abc', 'deprovisioning', 'in 2 minutes'],
      ['abcdefgh', '', ''],
      ['a', 'active', 'now'],
    ],
    ANY,
  );
  expect(linesOf(text)).toEqual([
    'LEASE     STATE           ENDS',
    'abc       deprovisioning  in 2 minutes',
    'abcdefgh',
    'a         active          now',
  ]);
});

test('numbers can stand at the right, also behind an empty cell', () => {
  const text = table(
    ['WHAT', { title: 'COUNT', right: true }, 'END'],
    [
      ['a', '7', 'x'],
      ['', '1000000', ''],
    ],
    ANY,
  );
  expect(linesOf(text)).toEqual(['WHAT    COUNT  END', 'a           7  x', '      1000000']);
});

test.each([100, 60, 44, 40, 30, 20, 12, 5, 1])('nothing is longer than a terminal of %i columns', (width) => {
  const rows = [
    ['a'.repeat(24), 'PG_REPORTS', 'token:ci', 'lh-abcdefgh-aaaaaaaaaaaaaaaaaaaaaaaa'],
    ['b'.repeat(24), 'X', '界'.repeat(30), 'é'.repeat(9)],
  ];
  for (const line of linesOf(table([{ title: 'LEASE', whole: true }, 'SECRET', 'HOLDER', 'ENTITY'], rows, { width }))) {
    const columns = Array.from(line).reduce((sum, character) => sum + (character === '界' ? 2 : 1), 0);
    expect(columns).toBeLessThanOrEqual(width);
  }
});

test('the longest column is shortened first, and the last is left out before an id is cut', () => {
  const columns = [{ title: 'LEASE', whole: true }, 'HOLDER', 'ENTITY'];
  const rows = [['a'.repeat(24), 'token:ci', 'e'.repeat(40)]];
  expect(linesOf(table(columns, rows, { width: 60 }))[1]).toBe(`${'a'.repeat(24)}  token:ci  ${'e'.repeat(23)}…`);
  expect(linesOf(table(columns, rows, { width: 44 }))[1]).toBe(`${'a'.repeat(24)}  token:ci  ${'e'.repeat(7)}…`);
  expect(linesOf(table(columns, rows, { width: 40 }))[1]).toBe(`${'a'.repeat(24)}  token:ci`);
  expect(linesOf(table(columns, rows, { width: 30 }))[1]).toBe(`${'a'.repeat(19)}…  token:ci`);
});

test('without a terminal nothing is shortened', () => {
  expect(table(['A', 'B'], [['x'.repeat(500), 'y'.repeat(500)]], ANY)).toContain(
    `${'x'.repeat(500)}  ${'y'.repeat(500)}`,
  );
});

test('what others have put into a name cannot speak to the terminal, nor begin another line', () => {
  const text = table(['HOLDER', 'END'], [['oidc:\u001b[2J\u202eevil\nline', '\u009b31m']], {
    width: 80,
    style: createStyle(false),
  });
  expect(linesOf(text)).toHaveLength(2);
  expect(text).toContain('oidc:\\u{1b}[2J\\u{202e}evil\\nline  \\u{9b}31m');
  expect(text).not.toMatch(/[^\P{C}\n]/u);
});

test('colour takes no room', () => {
  const style = createStyle(true);
  const text = table(['STATE', 'END'], [[{ text: 'stuck', paint: style.red }, 'now']], { width: 12, style });
  expect(linesOf(text)).toEqual(['\u001b[1mSTATE\u001b[22m  \u001b[1mEND\u001b[22m', '\u001b[31mstuck\u001b[39m  now']);
});
