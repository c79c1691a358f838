import { encodeBase32 } from '../../../temporal/base32';
import { markOf } from '../../../temporal/deployment';

test.each([
  ['', ''],
  ['f', 'my'],
  ['fo', 'mzxq'],
  ['foo', 'mzxw6'],
  ['foob', 'mzxw6yq'],
  ['fooba', 'mzxw6ytb'],
  ['foobar', 'mzxw6ytboi'],
])('%j is written as RFC 4648 has it, in lower case and without padding', (text, expected) => {
  expect(encodeBase32(Buffer.from(text))).toBe(expected);
});

test('high bits are kept in long input', () => {
  expect(encodeBase32(Buffer.alloc(5, 255))).toBe('77777777');
});

test('the mark of a namespace is the beginning of the SHA-256 of its UUID', () => {
  // Computed with another program.
  expect(markOf('6f1c2b1e-0d0f-4a63-9d1e-9d2f6a1f0c11')).toBe('7wwov7yk');
});
