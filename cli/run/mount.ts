import { closeSync, writeSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { explain } from '../exit';
import { isAt, makePipe, movePipe, openForReader, removePipe } from './pipe';
import type { Pipe } from './pipe';

/** A named pipe from which each open reads the same text. Nothing of it is ever on a disk. */
export interface Mount {
  /** Absolute. */
  readonly path: string;
  /**
   * From now on this is read, as often as was said.
   * @throws UsageError if something else is in the place of the pipe: nothing is handed out there.
   */
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
 * @param tell is told once if there can be no other pipe for the reads that are left.
 * @throws UsageError if there is something already, or can be no pipe.
 */
export async function openMount(at: string, maxReads: number, tell: (sentence: string) => void): Promise<Mount> {
  const path = resolve(at);
  /** What takes the place of a pipe as soon as that is being read. */
  const next = join(dirname(path), `.${basename(path)}.${process.pid}`);
  let pipe: Pipe | null = await makePipe(path);
  let spare: Pipe | null = null;
  let text = Buffer.alloc(0);
  let readsLeft = 0;
  let isTold = false;
  let isClosed = false;
  const hasClosed = (): boolean => isClosed;

  /** One after the other: two at once would meet each other's pipes. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = (act: () => Promise<void>): Promise<void> => {
    const acted = turn.then(act);
    turn = acted.catch(() => undefined);
    return acted;
  };

  const prepare = async (): Promise<void> => {
    if (!isAt(next, spare)) spare = await makePipe(next);
  };
  const handToReader = async (): Promise<void> => {
    const opened = readsLeft > 0 ? openForReader(path, pipe) : null;
    if (opened === null) return;
    readsLeft -= 1;
    // Whoever opens the path from now on has a pipe of his own, and this reader sees an end however slowly he reads.
    const hasMoved = readsLeft > 0 && movePipe(next, spare, path);
    if (!hasMoved) removePipe(path, pipe);
    void serve(opened, text, hasClosed);
    pipe = hasMoved ? spare : null;
    if (hasMoved) spare = null;
    if (readsLeft > 0 && !hasMoved) pipe = await makePipe(path);
    if (readsLeft > 1 && !hasClosed()) await prepare();
  };
  const look = async (): Promise<void> => {
    while (!hasClosed()) {
      await pause(LOOK_MS);
      try {
        await inTurn(handToReader);
      } catch (error) {
        // On a file system that has been unmounted, for instance. The next text is for a pipe that is made anew.
        if (!isTold) tell(explain(error)[1]);
        isTold = true;
      }
    }
  };
  const looking = look();
  return {
    path,
    fill: (filled) =>
      inTurn(async () => {
        if (!isAt(path, pipe)) pipe = await makePipe(path);
        if (maxReads > 1) await prepare();
        text = Buffer.from(filled);
        readsLeft = maxReads;
      }),
    close: async () => {
      isClosed = true;
      await Promise.allSettled([looking, turn]);
      const waiting = openForReader(path, pipe);
      removePipe(path, pipe);
      removePipe(next, spare);
      if (waiting !== null) closeSync(waiting);
    },
  };
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
