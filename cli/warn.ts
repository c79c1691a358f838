import { writeSync } from 'node:fs';

/**
 * A line of ours on standard error, told by how it begins from those of a program that is run. Written past `process.stderr`, whose first
 * use would make a pipe that the program writes to, too, non-blocking: its writes would begin to fail. Whether anybody reads it is no
 * matter.
 */
export function warn(sentence: string): void {
  try {
    writeSync(2, `leasehold: ${sentence}\n`);
  } catch {
    // Nobody reads it any more, or cannot now.
  }
}
