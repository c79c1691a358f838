import { getSystemErrorMap } from 'node:util';
import type { Logger } from './logger';

/**
 * Ends the process when an error reaches nobody, and logs its kind and where it came from. Node itself would write all of it, with
 * properties and causes, to which clients of providers hang requests, answers and credentials. Replaces what was told before.
 */
export function endWhenUncaught(logger: Logger, sentence: string): void {
  process.setUncaughtExceptionCaptureCallback(null);
  process.setUncaughtExceptionCaptureCallback((error: unknown) => {
    try {
      logger.fatal({ type: kindOf(error), code: systemCodeOf(error), at: placesOf(error) }, sentence);
    } finally {
      // Whatever comes of that: what is thrown here Node would write.
      process.exit(1);
    }
  });
}

function kindOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

const SYSTEM_CODES: ReadonlySet<unknown> = new Set([...getSystemErrorMap().values()].map(([code]) => code));

/** E.g. `ECONNRESET`; undefined unless it is one that the system knows, for it may be anything. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && SYSTEM_CODES.has(code) ? code : undefined;
}

/** The frames of its stack. Before them stands its message, which may repeat anything. */
export function placesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return [];
  const { stack, message } = error;
  const start = stack.indexOf(message);
  return stack
    .slice(start < 0 ? stack.length : start + message.length)
    .split('\n')
    .filter((line) => FRAME.test(line))
    .map((line) => line.trim());
}

const FRAME = /^ {4}at /;
