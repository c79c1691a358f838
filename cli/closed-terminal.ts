import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';

const STANDARD = [0, 1, 2] as const;

/**
 * Before it ends, Node sets each terminal that it was started with back to what it was. Where one has been closed meanwhile it aborts
 * instead, and the core dump that this may leave on a disk holds what was leased. What is no longer open is left alone.
 */
export function letGoOfClosedTerminals(): void {
  const terminals = STANDARD.filter((descriptor) => isatty(descriptor));
  process.on('exit', () => {
    for (const descriptor of terminals) if (!isatty(descriptor)) closeSync(descriptor);
  });
}
