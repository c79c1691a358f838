import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTarget } from '../../../../cli/secrets/target';

const NEVER = new AbortController().signal;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'target-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function files(): string[] {
  return readdirSync(directory).sort();
}

test.each(['plain', 'with space', 'line\nbreak', '-dash', '"$HOME"', 'ünï✓', 'n'.repeat(255)])(
  'a file of any name is written whole, for its owner alone: %j',
  async (name) => {
    const output = join(directory, name);
    const target = await openTarget({ output });
    expect(files()).not.toContain(name);
    await target.write('a value', NEVER);
    await target.close();
    expect(files()).toEqual([name]);
    expect(readFileSync(output, 'utf8')).toBe('a value');
    expect(lstatSync(output).mode & 0o7777).toBe(0o600);
  },
);

test('what is not written leaves nothing, and what is there stays as it is', async () => {
  const output = join(directory, 'file');
  await (await openTarget({ output })).close();
  expect(files()).toEqual([]);
  writeFileSync(output, 'precious');
  await (await openTarget({ output, force: true })).close();
  expect(files()).toEqual(['file']);
  expect(readFileSync(output, 'utf8')).toBe('precious');
});

test('a file is replaced only by force, and then in one step', async () => {
  const output = join(directory, 'file');
  writeFileSync(output, 'precious', { mode: 0o644 });
  await expect(openTarget({ output })).rejects.toThrow('is already there: --force replaces it');
  const target = await openTarget({ output, force: true });
  expect(readFileSync(output, 'utf8')).toBe('precious');
  await target.write('a value', NEVER);
  await target.close();
  expect(files()).toEqual(['file']);
  expect(readFileSync(output, 'utf8')).toBe('a value');
  expect(lstatSync(output).mode & 0o7777).toBe(0o600);
});

test('a file, or a link, that appears meanwhile is not touched', async () => {
  const output = join(directory, 'file');
  const target = await openTarget({ output });
  symlinkSync('elsewhere', output);
  await expect(target.write('a value', NEVER)).rejects.toThrow('EEXIST');
  await target.close();
  expect(files()).toEqual(['file']);
});

test('what was called off is not put in its place', async () => {
  const target = await openTarget({ output: join(directory, 'file') });
  await expect(target.write('a value', AbortSignal.abort())).rejects.toThrow();
  await target.close();
  expect(files()).toEqual([]);
});

test.each([
  ['a link, even to nothing', 'link', /is a symbolic link/],
  ['a directory', 'folder', /is no regular file/],
  ['a name in no directory', 'nowhere/file', /there is no such directory/],
  ['a name below a file', 'file/below', /ENOTDIR/],
  ['a name that ends as a directory', 'nowhere/', /names a directory/],
  ['a name that is too long', 'n'.repeat(256), /ENAMETOOLONG/],
  ['a name with a zero byte', 'a\0b', /must be the name of a file/],
])('%s is refused at once', async (_, name, sentence) => {
  symlinkSync('nothing', join(directory, 'link'));
  mkdirSync(join(directory, 'folder'));
  writeFileSync(join(directory, 'file'), '');
  await expect(openTarget({ output: `${directory}/${name}`, force: true })).rejects.toThrow(sentence);
  expect(files()).toEqual(['file', 'folder', 'link']);
});

test.each([
  ['no name', '', /must be the name of a file/],
  ['a device', '/dev/full', /is no regular file/],
  ['a place where nobody can make files', '/proc/secrets', /cannot be written/],
])('%s is refused at once', async (_, output, sentence) => {
  await expect(openTarget({ output, force: true })).rejects.toThrow(sentence);
});
