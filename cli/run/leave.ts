import { closeSync, fstatSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/**
 * Ends this process, whatever it still waits for, and leaves the terminal as the program left it. Node would set it back to what it was
 * when we began, and abort if it has been closed since. A pipe is left to Node: what it has made non-blocking others may go on writing to.
 */
export function leave(code: number): never {
  for (const fd of [0, 1, 2]) {
    try {
      if (!fstatSync(fd).isCharacterDevice()) continue;
      closeSync(fd);
      // Takes the number that has just become free: nothing else shall.
      openSync(devNull, 'r+');
    } catch {
      // What was not there needs no leaving.
    }
  }
  process.exit(code);
}
