import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditLine } from './line';
import type { AuditRecord } from './line';

export type { AuditEvent, AuditLine, AuditRecord } from './line';

export interface AuditWriter {
  /**
   * Ends once the line is on the disk, if it goes to a file; what standard output is read by cannot be asked. Lines are written in the
   * order in which they were given.
   * @throws AuditError if it could not be written, or not within 2.5 s.
   */
  write(record: AuditRecord): Promise<void>;
  /** Waits for the lines that were given; none is taken afterwards. */
  close(): Promise<void>;
}

/** A line that is not written. Tells where, why and the way out, and nothing of the line. */
export class AuditError extends Error {
  override readonly name = 'AuditError';
}

// Readable too, to see whether the last line was cut off; without waiting, should somebody have put a pipe there.
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
const MODE = 0o600;
/** Less than what waits for it. */
const WRITE_TIMEOUT_MS = 2_500;
const CUT_OFF_AFTER_MS = 20;

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'its file system is full. Free some space',
  EDQUOT: 'the quota of its owner is used up. Free some space',
  EFBIG: 'it has reached the largest size that is allowed. Rotate it',
  EROFS: 'its file system is read-only. Make it writable',
  EACCES: 'this process may not read and write it. Change its permissions or those of its directory',
  EPERM: 'this process may not read and write it. Change its permissions or those of its directory',
  ENOENT: 'its directory does not exist. Create it',
  ENOTDIR: 'a part of its path is no directory. Correct it',
  EISDIR: 'it is a directory. Name the file in it',
  ELOOP: 'it is a symbolic link that leads back to itself. Correct it',
  ENAMETOOLONG: 'its name is too long. Shorten it',
  EMFILE: 'this process has too many files open. Raise its limit',
  ENFILE: 'the system has too many files open. Raise its limit',
  EIO: 'its disk reports an error. Replace it',
  NO_FILE: 'it is a pipe or a socket. Name a file, or unset the variable to write to standard output',
  CUT: 'only a part could be written. Free some space',
};

/**
 * Writes audit lines as JSON, each with `"kind":"audit"` in front.
 * @param target.file is opened anew for each line, or for all that wait at one time, so that it may be rotated away at any time, and may
 * be shared by several processes, which leaves empty lines at worst; null: standard output.
 * @param target.failed called for each line that is not written.
 * @throws AuditError if the file cannot be appended to.
 */
export function openAuditWriter(target: {
  file: string | null;
  stdout?: NodeJS.WritableStream;
  failed?: () => void;
}): AuditWriter {
  const { file, stdout = process.stdout, failed } = target;
  const writer = file === null ? streamWriter(stdout) : fileWriter(file);
  if (failed === undefined) return writer;
  return {
    write: async (record) => {
      try {
        await writer.write(record);
      } catch (error) {
        failed();
        throw error;
      }
    },
    close: () => writer.close(),
  };
}

function fileWriter(file: string): AuditWriter {
  checkFile(file);
  return inTurn(
    Infinity,
    (lines) => append(file, lines),
    () => undefined,
  );
}

function streamWriter(stream: NodeJS.WritableStream): AuditWriter {
  // The failure of a write is told to whoever wrote; unheard, the stream's own event would end the process.
  const ignore = (): void => undefined;
  stream.on('error', ignore);
  // What the logger writes to the same pipe must not come between: the system keeps one line together, and not many.
  return inTurn(
    1,
    (line) => print(stream, line),
    () => stream.off('error', ignore),
  );
}

interface Job {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One line after the other, or all that wait together, up to `most`: a disk takes as long to keep many as to keep one. While they take
 * longer than they may, they and those behind them are refused, and so is whatever comes: a line that was refused is not written later,
 * but for those that were under way.
 */
function inTurn(most: number, send: (lines: string) => Promise<void>, end: () => void): AuditWriter {
  const waiting: Job[] = [];
  let isBusy = false;
  let hangs = false;
  let closed: Promise<void> | undefined;
  let idle = (): void => undefined;

  const next = (): void => {
    const group = waiting.splice(0, most);
    isBusy = group.length > 0;
    if (!isBusy) {
      idle();
      return;
    }
    const timer = setTimeout(() => {
      hangs = true;
      for (const late of [...group, ...waiting.splice(0)]) late.reject(hanging());
    }, WRITE_TIMEOUT_MS);
    void send(group.map(({ line }) => line).join(''))
      .then(
        () => {
          for (const job of group) job.resolve();
        },
        (error: unknown) => {
          for (const job of group) job.reject(error);
        },
      )
      .finally(() => {
        clearTimeout(timer);
        hangs = false;
        next();
      });
  };

  return {
    write: (record) => {
      if (closed !== undefined) {
        return Promise.reject(new AuditError('The audit writer is closed: nothing was written.'));
      }
      if (hangs) return Promise.reject(hanging());
      const line = `${JSON.stringify({ kind: 'audit', ...auditLine(record) })}\n`;
      return new Promise((resolve, reject) => {
        waiting.push({ line, resolve, reject });
        if (!isBusy) next();
      });
    },
    close: () =>
      (closed ??= new Promise<void>((resolve) => {
        idle = resolve;
        if (!isBusy) resolve();
        setTimeout(resolve, 2 * WRITE_TIMEOUT_MS).unref();
      }).then(end)),
  };
}

function hanging(): AuditError {
  return new AuditError(
    `No audit line could be written within ${String(WRITE_TIMEOUT_MS / 1_000)} s: the file system of LEASEHOLD_AUDIT_FILE, or the reader of standard output, hangs.`,
  );
}

function checkFile(file: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, FLAGS, MODE);
    refusePipe(file, fstatSync(descriptor));
  } catch (error) {
    throw toAuditError(file, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

async function append(file: string, lines: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, FLAGS, MODE);
    const stats = await handle.stat();
    refusePipe(file, stats);
    const bytes = Buffer.from((await isCutOff(handle, stats)) ? `\n${lines}` : lines);
    // One call for whole lines: other processes append to the same file.
    const { bytesWritten } = await handle.write(bytes);
    if (bytesWritten < bytes.byteLength) throw auditError(file, 'CUT');
    if (stats.isFile()) await flush(file, handle, stats);
  } catch (error) {
    throw toAuditError(file, error);
  } finally {
    await handle?.close();
  }
}

/** Waits until the disk has it: what only the system has in its memory is gone when the machine loses its power. */
async function flush(file: string, handle: FileHandle, { size }: Stats): Promise<void> {
  await handle.datasync();
  // A file is found again only if its directory was kept too, which a directory that this process may not read cannot be asked for.
  const directory = size > 0 ? null : await open(dirname(file), constants.O_RDONLY).catch(() => null);
  try {
    await directory?.sync();
  } finally {
    await directory?.close();
  }
}

/**
 * Whether the last line has no end, as a full disk leaves it: what follows must not become part of it. A line that somebody
 * else is writing just now looks the same for a moment; should it take longer, an empty line comes of it.
 */
async function isCutOff(handle: FileHandle, { size }: Stats): Promise<boolean> {
  if (size === 0) return false;
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  if (bytesRead === 0 || buffer.toString('latin1') === '\n') return false;
  await sleep(CUT_OFF_AFTER_MS);
  return (await handle.stat()).size === size;
}

/** Files, and devices such as /dev/null for who wants no audit. A pipe that nobody empties would fill up and stop leases. */
function refusePipe(file: string, stats: Stats): void {
  if (!stats.isFile() && !stats.isCharacterDevice()) throw auditError(file, 'NO_FILE');
}

function print(stream: NodeJS.WritableStream, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(line, (error) => {
      if (error === null || error === undefined) resolve();
      else
        reject(
          new AuditError(`No audit line can be written to standard output (${codeOf(error)}): is its reader gone?`),
        );
    });
  });
}

function toAuditError(file: string, error: unknown): AuditError {
  return error instanceof AuditError ? error : auditError(file, codeOf(error));
}

function auditError(file: string, code: string): AuditError {
  const shown = /^E[A-Z0-9]+$/.test(code) ? ` (${code})` : '';
  const reason = REASONS[code] ?? 'the system refuses it. Look at the file and its directory';
  return new AuditError(
    `The audit file ${file} cannot be appended to${shown}: ${reason}, or name another file in LEASEHOLD_AUDIT_FILE.`,
  );
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
}
