import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { LogLevel } from '../config/environment';

export type { Logger } from 'pino';

/**
 * JSON lines on standard output. Errors are written as type and message only: no stack, no cause, no further property,
 * because clients of providers hang requests, bodies and credentials on their errors.
 */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    messageKey: 'message',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: describeError, err: describeError },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** What may be logged of an error. */
function describeError(error: unknown): { type: string; message: string } {
  if (!(error instanceof Error)) return { type: typeof error, message: '' };
  const type = 'type' in error && typeof error.type === 'string' ? error.type : error.name;
  return { type, message: error.message };
}
