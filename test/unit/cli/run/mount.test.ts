import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, constants, openSync, readSync, renameSync } from 'node:fs';
import { lstat, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openMount } from '../../../../cli/run/mount';
import type { Mount } from '../../../../cli/run/mount';
import { eventually } from '../../../support/base-lab';

const THERE = /is there already/;
/** Many times as long as it takes until a reader is seen. */
const LONG_MS = 150;

let directory: string;
let path: string;
let told: string[];
let mount: Mount;
let opened: number[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-mount-'));
  path = join(directory, 'secrets');
  told = [];
  opened = [];
});

afterEach(async () => {
  await mount.close();
  opened.forEach(closeSync);
  await rm(directory, { recursive: true });
});

async function open(maxReads = Infinity): Promise<void> {
  mount = await openMount(path, maxReads, (sentence) => told.push(sentence));
}

const spare = (): string => join(directory, `.secrets.${process.pid}`);
const read = (): Promise<string> => readFile(path, 'utf8');
const isThere = (at: string): Promise<boolean> =>
  lstat(at).then(
    () => true,
    () => false,
  );

/** What has come out of a pipe since somebody opened it. */
function listenAt(at: string): () => string {
  const reader = openSync(at, constants.O_RDONLY | constants.O_NONBLOCK);
  opened.push(reader);
  return () => {
    const bytes = Buffer.alloc(100);
    try {
      return bytes.toString('utf8', 0, readSync(reader, bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return '';
      throw error;
    }
  };
}

/** Another pipe that somebody puts in a place, and reads from. */
function putAnother(at: string, mode = '600'): () => string {
  const made = join(directory, 'another');
  execFileSync('mkfifo', ['-m', mode, made]);
  const heard = listenAt(made);
  renameSync(made, at);
  return heard;
}

test('each reader gets all of the latest text, and nothing is left when it is closed', async () => {
  await open();
  await mount.fill('first');
  expect([await read(), await read()]).toEqual(['first', 'first']);
  await mount.fill('second');
  expect(await read()).toBe('second');
  await mount.close();
  expect(await readdir(directory)).toEqual([]);
  expect(told).toEqual([]);
});

test('a text that comes while another one is being read disturbs no reader', async () => {
  await open();
  await mount.fill('0');
  for (let count = 1; count <= 30; count += 1) {
    const reader = read();
    // While the pipe that has just been opened is being replaced.
    await pause(count % 15);
    await mount.fill(String(count));
    expect([String(count - 1), String(count)]).toContain(await reader);
    expect(await read()).toBe(String(count));
  }
  expect(told).toEqual([]);
});

test('fresh credentials do not go into a pipe that somebody else made where ours had been read as often as allowed', async () => {
  await open(1);
  await mount.fill('first');
  expect(await read()).toBe('first');
  await eventually(async () => !(await isThere(path)), 'the pipe to be removed');
  const heard = putAnother(path, '666');
  await expect(mount.fill('canary')).rejects.toThrow(THERE);
  await pause(LONG_MS);
  expect(heard()).toBe('');
  // What is not ours is left to whoever put it there, and once it has gone credentials are handed out again.
  expect(await isThere(path)).toBe(true);
  await rm(path);
  await mount.fill('second');
  expect(await read()).toBe('second');
});

test.each<[string, () => () => string]>([
  ['that has taken the place of ours', () => putAnother(path)],
  // The number of a pipe that is gone may be that of another one.
  [
    'that has the number of ours and can be read by others',
    () => {
      chmodSync(path, 0o644);
      return listenAt(path);
    },
  ],
  // Only root can give something away.
  ...(process.getuid?.() === 0
    ? [
        [
          'that has the number of ours and is of somebody else',
          (): (() => string) => {
            chownSync(path, 65_534, 65_534);
            return listenAt(path);
          },
        ] as [string, () => () => string],
      ]
    : []),
])('credentials do not go into a pipe %s', async (_, takeOver) => {
  await open();
  await mount.fill('canary');
  const heard = takeOver();
  await pause(LONG_MS);
  expect(heard()).toBe('');
  await expect(mount.fill('fresh canary')).rejects.toThrow(THERE);
  await pause(LONG_MS);
  expect(heard()).toBe('');
});

test('a pipe that waits where the next of ours is made is not taken for it', async () => {
  await open();
  const heard = putAnother(spare());
  await expect(mount.fill('canary')).rejects.toThrow(THERE);
  await rm(spare());
  await mount.fill('first');
  const other = putAnother(spare());
  expect(await read()).toBe('first');
  // With its place taken the next one is made where the readers look, and only once this one has gone from there.
  await eventually(() => isThere(path), 'the next pipe');
  expect(await read()).toBe('first');
  await pause(LONG_MS);
  expect([heard(), other()]).toEqual(['', '']);
  expect(told).toEqual([expect.stringMatching(THERE)]);
});
