import { details } from '../../../../cli/output/details';
import { createStyle } from '../../../../cli/output/style';

test('sides are aligned, one line each, without spaces at the ends of lines', () => {
  expect(
    details([
      ['Lease', 'abc'],
      ['Dynamic secret', 'x'.repeat(200)],
      ['Reason', ''],
    ]),
  ).toBe(`Lease           abc\nDynamic secret  ${'x'.repeat(200)}\nReason\n`);
});

test('what others have written cannot speak to the terminal, nor begin another line', () => {
  const text = details([['Rea\nson', 'a\u001b[2J\u202eb\nLease  other']]);
  expect(text).toBe('Rea\\nson  a\\u{1b}[2J\\u{202e}b\\nLease  other\n');
});

test('colour is around the text alone', () => {
  const style = createStyle(true);
  expect(details([['A', { text: 'x\u009b', paint: style.red }]], { style })).toBe(
    '\u001b[1mA\u001b[22m  \u001b[31mx\\u{9b}\u001b[39m\n',
  );
});
