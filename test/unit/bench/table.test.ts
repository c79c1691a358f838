import { toMarkdown } from '../../../bench/table';

test('a table is Markdown with figures flush right', () => {
  const table = {
    title: 'Issue',
    head: ['what', 'p50'],
    rows: [
      ['leasehold', '31.0 ms'],
      ['bao', '8 ms'],
    ],
  };
  expect(toMarkdown(table)).toBe(
    [
      '### Issue',
      '',
      '| what      |     p50 |',
      '| --------- | ------: |',
      '| leasehold | 31.0 ms |',
      '| bao       |    8 ms |',
      '',
    ].join('\n'),
  );
});

test('what would end a cell does not', () => {
  expect(toMarkdown({ title: 'T', head: ['a', 'b'], rows: [['x | y', 'one\ntwo']] })).toContain(
    '| x \\| y | one two |',
  );
});

test('a row that does not fit the head is refused', () => {
  expect(() => toMarkdown({ title: 'T', head: ['a', 'b'], rows: [['x']] })).toThrow(
    '2 columns and a row of 1 cells: x',
  );
});
