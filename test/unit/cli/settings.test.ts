import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { holdSettings, readSettings } from '../../../cli/settings';
import type { Settings } from '../../../cli/settings';

const SETTINGS: Settings = {
  host: 'https://leasehold.test',
  sign_ins: { 'https://leasehold.test': { kind: 'token', token: 'canary', expires_at: null } },
};
const variables = process.env;

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(join(os.tmpdir(), 'leasehold-'));
  file = join(directory, 'home', 'leasehold', 'settings.json');
  process.env = { XDG_CONFIG_HOME: join(directory, 'home') };
});

afterEach(async () => {
  process.env = variables;
  await rm(directory, { recursive: true, force: true });
});

const save = (settings: Settings): Promise<void> => holdSettings((held) => held.save(settings));

async function put(text: string, mode = 0o600): Promise<void> {
  await mkdir(join(directory, 'home', 'leasehold'), { recursive: true });
  await writeFile(file, text, { mode });
  await chmod(file, mode);
}

async function messageOf(failure: Promise<unknown>): Promise<string> {
  return failure.then(
    () => 'nothing failed',
    (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
  );
}

test('are there again, for their owner alone, and nothing lies beside them', async () => {
  expect(await readSettings()).toEqual({ sign_ins: {} });
  await save(SETTINGS);
  await save(SETTINGS);
  expect(await readSettings()).toEqual(SETTINGS);
  const modes = await Promise.all([file, join(file, '..')].map(async (path) => (await stat(path)).mode & 0o777));
  expect(modes).toEqual([0o600, 0o700]);
  expect(await readdir(join(file, '..'))).toEqual(['settings.json']);
});

test('that were left half written by a command that was killed do not matter', async () => {
  await save(SETTINGS);
  await writeFile(`${file}.new`, '{"half', { mode: 0o644 });
  expect(await readSettings()).toEqual(SETTINGS);
  await save(SETTINGS);
  expect(await readdir(join(file, '..'))).toEqual(['settings.json']);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('that many change at once lose nothing', async () => {
  const hosts = Array.from({ length: 5 }, (_, index) => `https://${index}.test`);
  const add = (host: string): Promise<void> =>
    holdSettings(async ({ settings, save: store }) => {
      const [signIn] = Object.values(SETTINGS.sign_ins);
      await store({ ...settings, sign_ins: { ...settings.sign_ins, [host]: signIn! } });
    });
  await Promise.all(hosts.map(add));
  expect(Object.keys((await readSettings()).sign_ins).sort()).toEqual(hosts);
});

test('stay behind a link of one’s own', async () => {
  const target = join(directory, 'dotfiles.json');
  await put('{}');
  await rm(file);
  await writeFile(target, JSON.stringify(SETTINGS), { mode: 0o600 });
  await symlink(target, file);
  expect(await readSettings()).toEqual(SETTINGS);
  await save({ sign_ins: {} });
  expect((await lstat(file)).isSymbolicLink()).toBe(true);
  expect(JSON.parse(await readFile(target, 'utf8'))).toEqual({ sign_ins: {} });
});

test.each([0o640, 0o604, 0o620, 0o602, 0o660, 0o644])('that others may reach (%i) are refused', async (mode) => {
  await put(JSON.stringify(SETTINGS), mode);
  for (const failure of [readSettings(), save(SETTINGS)]) {
    expect(await messageOf(failure)).toBe(
      `UsageError: ${file} holds tokens, and others than you may read or write it: chmod 600 it, or remove it and sign in again.`,
    );
  }
  expect((await stat(file)).mode & 0o777).toBe(mode);
});

test('of somebody else are refused, and so is a link of somebody else', async () => {
  await put(JSON.stringify(SETTINGS));
  const { uid } = await stat(file);
  const me = jest.spyOn(process, 'getuid').mockReturnValue(uid + 1);
  expect(await messageOf(readSettings())).toContain(`${file} belongs to somebody else.`);
  me.mockRestore();
  await rm(file);
  await symlink('/nowhere', file);
  jest.spyOn(process, 'getuid').mockReturnValue(uid + 1);
  try {
    expect(await messageOf(readSettings())).toContain(`${file} is a link that belongs to somebody else.`);
  } finally {
    jest.restoreAllMocks();
  }
});

test.each([
  ['no JSON', '{"host": "canary', ''],
  ['something else', '[]', ''],
  ['an unknown kind of sign-in', '{"sign_ins": {"https://a.test": {"kind": "canary"}}}', ' (at sign_ins)'],
  ['a host that is none', '{"host": 5}', ' (at host)'],
])('with %s are refused without repeating them, and are left as they are', async (_, text, where) => {
  await put(text);
  const message = `UsageError: ${file} is no settings file of leasehold${where}. Remove it and sign in again: leasehold login`;
  for (const failure of [readSettings(), save(SETTINGS)]) expect(await messageOf(failure)).toBe(message);
  expect(await readFile(file, 'utf8')).toBe(text);
});

test('in a place where nothing can be read or written are refused', async () => {
  await put('{}');
  process.env = { LEASEHOLD_SETTINGS: join(file, 'below.json') };
  expect(await readSettings()).toEqual({ sign_ins: {} });
  expect(await messageOf(save(SETTINGS))).toMatch(
    /cannot be written \(E\w+\)\. LEASEHOLD_SETTINGS names another one\.$/,
  );
  process.env = { LEASEHOLD_SETTINGS: directory };
  expect(await messageOf(readSettings())).toContain('is no file');
});

test.each(['', 'home'])('are not in the working directory where HOME is "%s"', async (home) => {
  process.env = {};
  jest.spyOn(os, 'homedir').mockReturnValue(home);
  expect(await readSettings()).toEqual({ sign_ins: {} });
  expect(await messageOf(save(SETTINGS))).toBe(
    'UsageError: There is no home directory for settings: name a file by LEASEHOLD_SETTINGS.',
  );
  jest.restoreAllMocks();
});
