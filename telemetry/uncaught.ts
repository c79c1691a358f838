import type { Logger } from './logger';

/**
 * Ends the process when an error reaches nobody, and logs its kind and where it came from. Node itself would write all of it, with
 * properties and causes, to which clients of providers hang requests, answers and credentials. Replaces what was told before.
 */
export function endWhenUncaught(logger: Logger, sentence: string): void {
  process.setUncaughtExceptionCaptureCallback(null);
  process.setUncaughtExceptionCaptureCallback((error: unknown) => {
    logger.fatal({ type: kindOf(error), at: placesOf(error) }, sentence);
    process.exit(1);
  });
}

function kindOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
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
