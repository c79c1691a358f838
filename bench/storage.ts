import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../cli/error-code';

/** In which systems count what a file takes, whatever the disk's own. */
const BLOCK = 512;

/** Bytes of a SQLite database, with what it has written beside its file and not yet moved into it. */
export async function databaseBytes(file: string): Promise<number> {
  const sizes = await Promise.all(['', '-wal'].map((ending) => fileBytes(`${file}${ending}`)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Bytes of all files in a directory and below it, logs left out. */
export async function directoryBytes(directory: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) sum += await directoryBytes(path);
    else if (entry.isFile() && !entry.name.endsWith('.log')) sum += await fileBytes(path);
  }
  return sum;
}

/** What it takes on the disk: databases make files large beforehand. Zero for one that is not there, or no more. */
async function fileBytes(path: string): Promise<number> {
  try {
    const { size, blocks } = await stat(path);
    return Math.min(size, blocks * BLOCK);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}
