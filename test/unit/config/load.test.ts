import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../../config/load';
import { types } from '../../support/config-text';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'leasehold-config-'));
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function file(content: string | Uint8Array): string {
  const path = join(directory, 'leasehold.yaml');
  writeFileSync(path, content);
  return path;
}

test('a configuration is read from a file', async () => {
  expect(
    Object.keys((await loadConfig(file('version: 1\nintegrations: {a: {type: bare}}'), types)).integrations),
  ).toEqual(['a']);
});

test.each<[string, () => string, RegExp]>([
  [
    'is missing',
    () => join(directory, 'missing.yaml'),
    /missing\.yaml: The .* does not exist\. Name .*LEASEHOLD_CONFIG.*leasehold\.example\.yaml/,
  ],
  ['is in a missing directory', () => join(directory, 'no', 'a.yaml'), /does not exist/],
  ['is below a file', () => join(file('version: 1'), 'a.yaml'), /does not exist/],
  ['is a directory', () => directory, /is a directory/],
  ['is a device', () => '/dev/null', /no regular file/],
  ['is UTF-16', () => file(Buffer.from('\ufeffversion: 1', 'utf16le')), /not UTF-8/],
  ['is Latin-1', () => file(Buffer.from('version: 1 # \xe4', 'latin1')), /not UTF-8/],
  ['is too large', () => file(`version: 1\n#${'x'.repeat(1024 * 1024)}`), /at most 1024 KiB/],
  ['has a name that is too long', () => join(directory, 'x'.repeat(300)), /too long/],
  ['is empty', () => file(''), /is empty/],
  ['has a problem', () => file('version: 1\nx: 1'), /x \(line 2, column 1\): is not known here/],
])('one that %s is refused with the way out', async (_, make, sentence) => {
  const loading = loadConfig(make(), types);
  await expect(loading).rejects.toBeInstanceOf(ConfigError);
  await expect(loading).rejects.toThrow(sentence);
});

test('a named pipe is refused at once instead of waiting for somebody to write', async () => {
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await expect(loadConfig(pipe, types)).rejects.toThrow('no regular file');
});
