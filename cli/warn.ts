import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { printableLines } from './output/printable';

const AGAIN_MS = 200;
const LAST_WORDS_MS = 2_000;

/** What could not be written yet. */
let pending: Uint8Array = new Uint8Array();
let stream: number | null = null;
let timer: NodeJS.Timeout | undefined;

/**
 * A line of ours on standard error, told by how it begins from those of a program that is run. Written past `process.stderr`, whose first use would make
 * a pipe that the program writes to, too, non-blocking: its writes would begin to fail. Whether anybody reads it is no matter, and whoever
 * reads slowly, or has stopped the terminal by Ctrl-S, does not keep us from the leases: it is written later.
 */
export function warn(sentence: string): void {
  pending = Buffer.concat([pending, Buffer.from(`leasehold: ${printableLines(sentence)}\n`)]);
  flush();
}

/** Waits a little until all is written. */
export async function warned(): Promise<void> {
  for (let ms = 0; pending.length > 0 && ms < LAST_WORDS_MS; ms += AGAIN_MS) await pause(AGAIN_MS);
}

function flush(): void {
  clearTimeout(timer);
  try {
    stream ??= ownStream();
    while (pending.length > 0) pending = pending.subarray(writeSync(stream, pending));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') timer = setTimeout(flush, AGAIN_MS).unref();
    // Nobody reads it any more.
    else pending = new Uint8Array();
  }
}

/** Standard error opened once more, so that only we do not wait for its reader; where that cannot be, as it is. */
function ownStream(): number {
  try {
    const status = fstatSync(2);
    if (!status.isFIFO() && !status.isCharacterDevice()) return 2;
    return openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return 2;
  }
}
