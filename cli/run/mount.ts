import { execFile } from 'node:child_process';
import { closeSync, constants, fstatSync, lstatSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { pathAlone } from '../../config/environment';
import { UsageError } from '../exit';

/** A named pipe from which each open reads the same text. Nothing of it is ever on a disk. */
export interface Mount {
  /** Absolute. */
  readonly path: string;
  /** From now on this is read, as often as was said. */
  fill(text: string): Promise<void>;
  /** Removes the pipe. Whoever waits for it gets an end. Never fails. */
  readonly close: () => Promise<void>;
}

/**
 * How often is looked whether somebody reads. To wait in an open instead would take a thread that cannot be called back, and with it
 * the end of this process once the pipe is gone.
 */
const LOOK_MS = 10;
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 100;

/**
 * @param maxReads after so many reads the pipe is removed, until there is another text.
 * @throws UsageError if there is something already, or can be no pipe.
 */
export async function openMount(at: string, maxReads = Infinity): Promise<Mount> {
  const path = resolve(at);
  /** What takes the place of a pipe as soon as that is being read. */
  const next = join(dirname(path), `.${basename(path)}.${process.pid}`);
  let text = Buffer.alloc(0);
  let readsLeft = 0;
  let isClosed = false;
  const hasClosed = (): boolean => isClosed;
  await makePipe(path);

  const prepare = async (): Promise<void> => {
    if (readsLeft > 1 && !hasClosed() && !isThere(next)) await makePipe(next);
  };
  const look = async (): Promise<void> => {
    while (!hasClosed()) {
      await pause(LOOK_MS);
      const pipe = readsLeft > 0 ? openForReader(path) : null;
      if (pipe === null) continue;
      readsLeft -= 1;
      // Whoever opens the path from now on has a pipe of his own, and this reader sees an end however slowly he reads.
      const hasMoved = readsLeft > 0 && move(next, path);
      if (!hasMoved) remove(path);
      void serve(pipe, text, hasClosed);
      if (readsLeft > 0 && !hasMoved) await makePipe(path);
      await prepare();
    }
  };
  const fill = async (filled: string): Promise<void> => {
    text = Buffer.from(filled);
    if (!isThere(path)) await makePipe(path);
    readsLeft = maxReads;
    await prepare();
  };
  // Without another pipe, on a file system that has been unmounted for instance, there is nothing to read any more.
  const looking = look().catch(() => undefined);
  let filling: Promise<unknown> = Promise.resolve();
  return {
    path,
    fill: (filled) => {
      const work = fill(filled);
      filling = work;
      return work;
    },
    close: async () => {
      isClosed = true;
      await Promise.allSettled([looking, filling]);
      const waiting = openForReader(path);
      [path, next].forEach(remove);
      if (waiting !== null) closeSync(waiting);
    },
  };
}

async function makePipe(path: string): Promise<void> {
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', path], { env: pathAlone() });
  } catch (error) {
    throw new UsageError(explain(path, error));
  }
}

function explain(path: string, error: unknown): string {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  if (isMissing) return '--mount needs the program mkfifo (of the GNU coreutils, or busybox), which is not in PATH.';
  if (isThere(path)) {
    return `--mount: ${path} is there already. If it is a pipe of an earlier run that was killed, remove it.`;
  }
  return `--mount: no pipe can be made at ${path}. Its directory must be there and writable.`;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The pipe's end to write to if somebody has opened the other; null: nobody has, or there is something else by now. */
function openForReader(path: string): number | null {
  try {
    const pipe = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    if (fstatSync(pipe).isFIFO()) return pipe;
    closeSync(pipe);
    return null;
  } catch {
    return null;
  }
}

function move(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else has removed it.
  }
}

/** Writes it all, as fast as it is read, unless the reader leaves. */
async function serve(pipe: number, text: Buffer, isOver: () => boolean): Promise<void> {
  let wait = FIRST_PAUSE_MS;
  try {
    for (let at = 0; at < text.length && !isOver();) {
      const written = writeSome(pipe, text, at);
      at += written;
      wait = written > 0 ? FIRST_PAUSE_MS : Math.min(wait * 2, LONGEST_PAUSE_MS);
      if (written === 0) await pause(wait);
    }
  } catch {
    // The reader has left.
  } finally {
    closeSync(pipe);
  }
}

/** How much the pipe took: nothing while it is full. */
function writeSome(pipe: number, text: Buffer, at: number): number {
  try {
    return writeSync(pipe, text, at);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return 0;
    throw error;
  }
}
