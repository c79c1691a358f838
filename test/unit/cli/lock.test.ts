import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isAlive, withLock } from '../../../cli/lock';

let directory: string;
let file: string;
const nobodyWaits = (): void => {
  throw new Error('nothing was to be waited for');
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
  file = join(directory, 'lock');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function deadProcess(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid!;
}

async function age(path: string, seconds: number): Promise<void> {
  const then = new Date(Date.now() - seconds * 1_000);
  await utimes(path, then, then);
}

test('holders come one after the other, and the one who waits is told for whom', async () => {
  let inside = 0;
  let most = 0;
  const told: number[] = [];
  const work = (): Promise<void> =>
    withLock(
      file,
      (pid) => told.push(pid),
      async () => {
        most = Math.max(most, ++inside);
        await pause(250);
        inside -= 1;
      },
    );
  await Promise.all([work(), work(), work(), work()]);
  expect(most).toBe(1);
  expect(new Set(told)).toEqual(new Set([process.pid]));
  expect(existsSync(file)).toBe(false);
});

test('the lock is given back when the work fails', async () => {
  await expect(withLock(file, nobodyWaits, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await withLock(file, nobodyWaits, () => Promise.resolve('next'))).toBe('next');
});

test('the lock of a process that died is taken over', async () => {
  await writeFile(file, String(await deadProcess()));
  expect(await withLock(file, nobodyWaits, () => Promise.resolve('taken'))).toBe('taken');
});

test('a lock that was not touched for long is taken over although its process id is in use', async () => {
  await writeFile(file, String(process.pid));
  await age(file, 60);
  expect(await withLock(file, nobodyWaits, () => Promise.resolve('taken'))).toBe('taken');
});

test('many who find the lock of a dead process still come one after the other', async () => {
  await writeFile(file, String(await deadProcess()));
  // Left by one that was killed just when it took the lock over.
  await mkdir(`${file}.guard`);
  await age(`${file}.guard`, 60);
  let inside = 0;
  let most = 0;
  const work = (): Promise<void> =>
    withLock(
      file,
      () => undefined,
      async () => {
        most = Math.max(most, ++inside);
        await pause(10);
        inside -= 1;
      },
    );
  await Promise.all(Array.from({ length: 8 }, work));
  expect(most).toBe(1);
});

test('a process is told alive from dead', async () => {
  expect(isAlive(process.pid)).toBe(true);
  expect(isAlive(await deadProcess())).toBe(false);
});
