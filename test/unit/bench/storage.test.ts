import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { databaseBytes, directoryBytes } from '../../../bench/storage';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-storage-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test('a database counts with its write-ahead log, if there is one', async () => {
  const file = join(directory, 'temporal.db');
  await writeFile(file, 'x'.repeat(100));
  expect(await databaseBytes(file)).toBe(100);
  await writeFile(`${file}-wal`, 'x'.repeat(20));
  expect(await databaseBytes(file)).toBe(120);
});

test('a directory counts with everything below it but logs', async () => {
  await mkdir(join(directory, 'raft'));
  await writeFile(join(directory, 'vault.db'), 'x'.repeat(100));
  await writeFile(join(directory, 'raft', 'raft.db'), 'x'.repeat(20));
  await writeFile(join(directory, 'bao.log'), 'x'.repeat(3));
  expect(await directoryBytes(directory)).toBe(120);
});

test('what a file was made large for and does not hold does not count', async () => {
  const file = join(directory, 'vault.db');
  await writeFile(file, '');
  await truncate(file, 64 * 1_024 * 1_024);
  expect(await directoryBytes(directory)).toBeLessThan(1_024 * 1_024);
});
