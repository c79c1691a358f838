import { blocksOf, docPages, isKnownReason, parseBlocks } from '../../support/doc-blocks';

test('a block is read without its indentation, with what the comments before it say', () => {
  const text = [
    '<!-- before: export A=1 -->',
    '',
    '<!-- not a remark of ours: at all -->',
    '<!-- exits:',
    '4 -->',
    '',
    '   ```sh',
    '   one',
    '     two',
    '   ```',
    '',
    '<!-- not run: needs Docker -->',
    'Text between them.',
    '',
    '```text',
    'three',
    '```',
  ].join('\n');
  expect(parseBlocks('page', text)).toEqual([
    { page: 'page', line: 8, language: 'sh', code: 'one\n  two\n', remarks: { before: 'export A=1', exits: '4' } },
    { page: 'page', line: 16, language: 'text', code: 'three\n', remarks: {} },
  ]);
});

test('a block or a comment that does not end is told with its place', () => {
  expect(() => parseBlocks('page', 'a\n```sh\nb')).toThrow('page:2: a block begins here that does not end.');
  expect(() => parseBlocks('page', 'a\n<!-- exits: 1\nb')).toThrow('page:2: a comment begins here that does not end.');
});

test('a reason must be of a kind that we know, and a test that is named must be there', () => {
  for (const reason of ['needs Docker', 'needs a cloud account: AWS', 'asks a person to sign in', 'runs for long'])
    expect([reason, isKnownReason(reason)]).toEqual([reason, true]);
  expect(isKnownReason('run by test/unit/docs/blocks.test.ts')).toBe(true);
  for (const reason of ['', 'does not work', 'needs time', 'run by test/unit/docs/nothing.test.ts', 'run by hand'])
    expect([reason, isKnownReason(reason)]).toEqual([reason, false]);
});

test.each(docPages())('%s says why it has a block that is not run', (page) => {
  for (const { line, remarks } of blocksOf(page, 'sh', 'yaml', 'ts')) {
    const reason = remarks['not run'];
    if (reason !== undefined) expect([line, reason, isKnownReason(reason)]).toEqual([line, reason, true]);
    if (remarks.exits !== undefined) expect(remarks.exits).toMatch(/^[1-9]\d{0,2}$/);
  }
});

test('there are blocks of every kind', () => {
  for (const language of ['sh', 'yaml', 'ts']) {
    const all = docPages().flatMap((page) => blocksOf(page, language));
    expect(all.filter(({ remarks }) => remarks['not run'] === undefined).length).toBeGreaterThan(8);
  }
});
