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
  return pino(options, destination ?? standardOutput());
}

/** As much is kept of what cannot be written yet. Further lines are lost. */
const KEPT_BYTES = 4 * 1024 * 1024;

/** Without waiting for it. Where it cannot be written, on a full disk for instance, the process goes on: leases end without a log, too. */
function standardOutput(): DestinationStream {
  const stream = pino.destination({ dest: 1, sync: false, maxLength: KEPT_BYTES });
  stream.on('error', () => {
    // It would try for ever what cannot be done, so that the process would never end.
    stream.flushSync = () => undefined;
  });
  return stream;
}

/** What may be logged of an error. */
function describeError(error: unknown): { type: string; message: string } {
  if (!(error instanceof Error)) return { type: typeof error, message: '' };
  const type = 'type' in error && typeof error.type === 'string' ? error.type : error.name;
  return { type, message: error.message };
}
