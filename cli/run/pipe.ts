import { execFile } from 'node:child_process';
import { closeSync, constants, fstatSync, lstatSync, openSync, renameSync, unlinkSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { promisify } from 'node:util';
import { pathAlone } from '../../config/environment';
import { UsageError } from '../exit';

/**
 * A named pipe that was made here, known by what it is and not by its name: whoever may write to its directory can put a pipe of his
 * own in its place, and would get what is written to that.
 */
export interface Pipe {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** Makes one for this user alone. @throws UsageError if there is something already, or can be no pipe. */
export async function makePipe(path: string): Promise<Pipe> {
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', path], { env: pathAlone() });
  } catch (error) {
    throw new UsageError(explain(path, error));
  }
  const made = look(path);
  if (made !== undefined && isForUsAlone(made)) return { dev: made.dev, ino: made.ino };
  throw new UsageError(
    `--mount: what was made at ${path} is not for this user alone: name a directory to which nobody else may write.`,
  );
}

/** Whether it is there, and nothing else in its place. Null: it never was. */
export function isAt(path: string, pipe: Pipe | null): boolean {
  const found = look(path);
  return found !== undefined && isSame(found, pipe);
}

/** Its end to write to if somebody has opened the other; null: nobody has, or there is something else by now. */
export function openForReader(path: string, pipe: Pipe | null): number | null {
  if (!isAt(path, pipe)) return null;
  try {
    const opened = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    // It may have been replaced since it was looked at.
    if (isSame(fstatSync(opened, { bigint: true }), pipe)) return opened;
    closeSync(opened);
    return null;
  } catch {
    return null;
  }
}

/** Puts it in the place of what is there. */
export function movePipe(from: string, pipe: Pipe | null, to: string): boolean {
  if (!isAt(from, pipe)) return false;
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/** Nothing else that has taken its place is removed. */
export function removePipe(path: string, pipe: Pipe | null): void {
  if (!isAt(path, pipe)) return;
  try {
    unlinkSync(path);
  } catch {
    // Somebody else has removed it.
  }
}

function explain(path: string, error: unknown): string {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  if (isMissing) return '--mount needs the program mkfifo (of the GNU coreutils, or busybox), which is not in PATH.';
  if (look(path) !== undefined) {
    return `--mount: ${path} is there already. If it is a pipe of an earlier run that was killed, remove it.`;
  }
  return `--mount: no pipe can be made at ${path}. Its directory must be there and writable.`;
}

/** Undefined: nothing is there, or it cannot be looked at, so that it cannot be ours. */
function look(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function isSame(found: BigIntStats, pipe: Pipe | null): boolean {
  // The number of a pipe that is gone is given to the next one, which may be anybody's.
  return pipe !== null && found.dev === pipe.dev && found.ino === pipe.ino && isForUsAlone(found);
}

function isForUsAlone(found: BigIntStats): boolean {
  return found.isFIFO() && Number(found.uid) === process.geteuid?.() && (found.mode & 0o077n) === 0n;
}
