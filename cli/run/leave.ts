import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/**
 * Ends this process, whatever it still waits for, and leaves the terminal as the program left it. Node would set it back to what it was
 * when we began, and abort if it has been closed since.
 */
export function leave(code: number): never {
  for (const fd of [0, 1, 2]) {
    try {
      closeSync(fd);
      // Takes the number that has just become free: nothing else shall.
      openSync(devNull, 'r+');
    } catch {
      // What was not there needs no leaving.
    }
  }
  process.exit(code);
}
