/** What was to be printed was not, or not wholly. */
export class NotPrintedError extends Error {
  override readonly name = 'NotPrintedError';

  constructor(
    /** As the system calls it: EPIPE if the reader has gone, ENOSPC if the disk is full. */
    readonly code: string,
  ) {
    super(`Standard output could not be written (${code}).`);
  }
}

/** Writes to standard output and waits until it was taken. @throws NotPrintedError */
export async function print(text: string): Promise<void> {
  const { stdout } = process;
  // Who waits here decides what a reader that has gone means: the program does not end by itself meanwhile.
  const listener = (): void => undefined;
  stdout.on('error', listener);
  await new Promise<void>((resolve, reject) => {
    stdout.write(text, (error) => {
      if (error == null) {
        stdout.off('error', listener);
        resolve();
      } else {
        reject(new NotPrintedError(codeOf(error)));
      }
    });
  });
}

/** One value as one line of JSON. */
export function printJson(value: unknown): Promise<void> {
  return print(`${JSON.stringify(value)}\n`);
}

function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'unknown';
}
