import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { referenceSchema, resolveReference, UnresolvedReference } from '../../../config/reference';

const VARIABLE = 'LEASEHOLD_TEST_SECRET';
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'leasehold-reference-'));
});

const before = { ...process.env };

afterEach(() => {
  process.env = { ...before };
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(directory, name), content);
  return `file:${join(directory, name)}`;
}

test.each(['env:A', 'env:_a1', 'file:/a', 'file:/run/secrets/a b', 'file:///run/x'])('%p is a reference', (text) => {
  expect(referenceSchema.safeParse(text).success).toBe(true);
});

test.each([
  '',
  'env:',
  'env:1A',
  'env:A B',
  'env:A-B',
  'env:A\n',
  ' env:A',
  'ENV:A',
  'file:',
  'file:relative',
  'file:./a',
  'file:/a\nb',
  'file:/a\0b',
  `file:/${'a'.repeat(5_000)}`,
  'AKIAIOSFODNN7EXAMPLE',
  5,
  null,
])('%p is no reference', (text) => {
  expect(referenceSchema.safeParse(text).success).toBe(false);
});

test('a variable is read anew at each use', () => {
  process.env[VARIABLE] = 'one';
  expect(resolveReference(`env:${VARIABLE}`)).toBe('one');
  process.env[VARIABLE] = ' two\n';
  expect(resolveReference(`env:${VARIABLE}`)).toBe(' two\n');
});

test.each([
  ['secret', 'secret'],
  ['secret\n', 'secret'],
  ['secret\r\n\n', 'secret'],
  [' se\ncret ', ' se\ncret '],
  ['\ufeffsecret', 'secret'],
  ['pässword', 'pässword'],
])('a file with %j holds %j', (content, secret) => {
  expect(resolveReference(file('secret', content))).toBe(secret);
});

test('a symbolic link to a file is followed, as mounted secrets are', () => {
  file('target', 'secret');
  symlinkSync('target', join(directory, 'link'));
  expect(resolveReference(`file:${join(directory, 'link')}`)).toBe('secret');
});

describe('a reference that leads nowhere is refused by its name, without what was found', () => {
  const refusal = (reference: string): string => {
    try {
      resolveReference(reference);
    } catch (error) {
      if (error instanceof UnresolvedReference) return error.message;
      throw error;
    }
    throw new Error('it was resolved');
  };

  test('a variable that is not set, or is empty', () => {
    expect(refusal(`env:${VARIABLE}`)).toMatch(/env:LEASEHOLD_TEST_SECRET.* is not set\. Set it/);
    process.env[VARIABLE] = '';
    expect(refusal(`env:${VARIABLE}`)).toMatch(/is empty/);
    expect(refusal('env:constructor')).toMatch(/is not set/);
  });

  test.each<[string, () => string, RegExp]>([
    ['a missing file', () => `file:${directory}/missing`, /file:.*missing.*does not exist/],
    ['a directory', () => `file:${directory}`, /is a directory/],
    ['an empty file', () => file('empty', ''), /is empty/],
    ['a file of line breaks', () => file('breaks', '\n'.repeat(60_000)), /is empty/],
    ['a file that is too large', () => file('large', 'canary'.repeat(11_000)), /at most 64 KiB/],
    ['a file that is no text', () => file('binary', Uint8Array.of(0x63, 0xff, 0xfe)), /not UTF-8/],
    ['a file with NUL', () => file('nul', 'canary\0canary'), /NUL/],
    ['a device', () => 'file:/dev/zero', /no regular file/],
  ])('%s', (_, make, sentence) => {
    const message = refusal(make());
    expect(message).toMatch(sentence);
    expect(message).not.toContain('canary');
  });

  test('a named pipe, at once instead of waiting for somebody to write', () => {
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    expect(refusal(`file:${join(directory, 'pipe')}`)).toMatch(/no regular file/);
  });

  test('a secret that was passed in place of a reference', () => {
    expect(refusal('wJalrXUtnFEMI/canary')).toMatch(/no reference/);
    expect(refusal('wJalrXUtnFEMI/canary')).not.toContain('canary');
  });
});
