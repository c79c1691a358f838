import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** A text file that cannot be used. The message tells why, in the words that follow the file's name. */
export class FileError extends Error {
  override readonly name = 'FileError';
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist: a part of its path is no directory',
  EACCES: 'may not be read by this process: look at its permissions and those of its directories',
  EPERM: 'may not be read by this process: look at its permissions and those of its directories',
  ELOOP: 'is a symbolic link that leads back to itself',
  ENAMETOOLONG: 'has a name that is too long',
};

/**
 * Reads a regular file of UTF-8 text; a byte order mark is dropped.
 * @param maxBytes how large it may be.
 * @throws FileError without anything of the file's content.
 */
export function readTextFile(path: string, maxBytes: number): string {
  const bytes = readBytes(path, maxBytes);
  if (bytes.byteLength > maxBytes) {
    throw new FileError(`is too large: at most ${maxBytes / 1024} KiB are read`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new FileError('is not UTF-8 text: save it as UTF-8');
  }
}

function readBytes(path: string, maxBytes: number): Uint8Array {
  let file: number | undefined;
  try {
    // Opening a named pipe would otherwise wait until somebody writes to it.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw new FileError('is a directory: name the file in it');
    if (!stat.isFile()) throw new FileError('is no regular file');
    const bytes = new Uint8Array(maxBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.byteLength; length += read) {
      read = readSync(file, bytes, length, bytes.byteLength - length, null);
    }
    return bytes.subarray(0, length);
  } catch (error) {
    if (error instanceof FileError) throw error;
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
    throw new FileError(REASONS[code] ?? `cannot be read (${code})`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
