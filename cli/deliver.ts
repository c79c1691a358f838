import { fstatSync, fsyncSync, statSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import { isatty } from 'node:tty';
import { errorCode } from './error-code';
import { UsageError } from './exit';
import { NotPrintedError, print } from './output/print';

const STDOUT = 1;

/**
 * Writes credentials to standard output and waits until all of it was taken, or the signal says that nobody waits any more. Whoever
 * leased them revokes them if this fails. Then, after a signal, the end of the process has to be asked for: the write goes on.
 * @throws NotPrintedError, or what the signal says.
 */
export async function deliver(text: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    const kind = fstatSync(STDOUT);
    if (isatty(STDOUT) || kind.isFIFO() || kind.isSocket()) await Promise.race([print(text), aborted(signal)]);
    else writeToFile(Buffer.from(text), kind.isFile());
  } catch (error) {
    throw signal.aborted || error instanceof NotPrintedError ? error : new NotPrintedError(systemCode(error));
  }
}

/**
 * To be asked before anything is leased that is to be delivered.
 * @throws UsageError where nobody can get it: standard output is closed, which looks the same, or thrown away.
 */
export function requireReader(): void {
  if (!leadsNowhere()) return;
  throw new UsageError(
    'Standard output is closed or thrown away: nobody would get the credential. Nothing was leased.',
  );
}

/** What the system calls an error; never its text, which may repeat what was written. */
export function systemCode(error: unknown): string {
  const code = errorCode(error);
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'it was called off';
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('called off'));
    });
  });
}

/** The stream of a file takes a write that was cut short by a full disk for a whole one. */
function writeToFile(bytes: Buffer, isOnDisk: boolean): void {
  for (let at = 0; at < bytes.length;) at += writeSync(STDOUT, bytes, at);
  if (isOnDisk) fsyncSync(STDOUT);
}

function leadsNowhere(): boolean {
  try {
    const output = fstatSync(STDOUT);
    const nowhere = statSync(devNull);
    return output.isCharacterDevice() && output.rdev === nowhere.rdev;
  } catch {
    return false;
  }
}
