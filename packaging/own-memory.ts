import { readFileSync, writeFileSync } from 'node:fs';

/** In hexadecimal: which parts of a process's memory a core dump of it has. */
let before: string | null = null;

/**
 * Keeps what this process has in memory, admin credentials, tokens and leased credentials, out of files and off sockets when it crashes or is signalled:
 * core dumps of it and of what it starts hold no memory, Node writes no diagnostic reports, which hold the environment, and SIGUSR1
 * opens no debugger. To be called first; where a system has nothing of the kind nothing happens.
 */
export function keepMemoryToOurselves(): void {
  try {
    before = readFileSync(filterOf('self'), 'latin1').trim();
    writeFileSync(filterOf('self'), '0');
  } catch {
    // Not Linux, or /proc is not to be written: then the limit on core dumps is all there is.
  }
  const { report } = process;
  report.reportOnFatalError = false;
  report.reportOnSignal = false;
  report.reportOnUncaughtException = false;
  process.on('SIGUSR1', () => undefined);
}

/**
 * Lets core dumps of a program that was started for somebody else be as they would have been without us: they are that program's own
 * affair. Not of one that has become another user's.
 */
export function leaveMemoryTo(pid: number): void {
  if (before === null) return;
  try {
    writeFileSync(filterOf(pid), `0x${before}`);
  } catch {
    // It has ended by now, or is not ours.
  }
}

function filterOf(process: number | 'self'): string {
  return `/proc/${process}/coredump_filter`;
}
