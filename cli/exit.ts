import { LeaseError } from '../client/leases';
import { ConfigError } from '../config/load';
import { TemporalError } from '../temporal/connection';
import { MissingSearchAttributes } from '../temporal/search-attributes';

/** What the commands exit with. */
export const EXIT = {
  done: 0,
  /** It ran and found, or left, something wrong. */
  problems: 1,
  /** The command line or the configuration is wrong: nothing was done. */
  usage: 2,
  /** Temporal or a worker did not do its part. */
  unavailable: 3,
  /** No lease was issued: the API, a worker or the provider refused it. */
  refused: 4,
  /** Called off by Ctrl-C, as shells number it. */
  interrupted: 130,
} as const;

/** A command line that cannot be followed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Temporal, or the worker behind it, did not answer. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** What was asked for was begun and came to no good end. */
export class FailedError extends Error {
  override readonly name = 'FailedError';
}

/** Runs a command and ends the process with its exit code. */
export async function exitWith(run: () => Promise<number>): Promise<void> {
  process.exitCode = await run().catch(tellError);
}

/** Says on standard error what went wrong and answers the exit code. Errors of ours are a sentence; any other is told by its kind alone. */
export function tellError(error: unknown): number {
  const [code, sentence] = explain(error);
  process.stderr.write(`${sentence}\n`);
  return code;
}

function explain(error: unknown): readonly [number, string] {
  if (error instanceof ConfigError || error instanceof UsageError) return [EXIT.usage, error.message];
  if (error instanceof LeaseError) return [isPassing(error) ? EXIT.unavailable : EXIT.refused, error.message];
  if (error instanceof FailedError) return [EXIT.problems, error.message];
  const isOurs =
    error instanceof TemporalError || error instanceof MissingSearchAttributes || error instanceof UnavailableError;
  if (isOurs) return [EXIT.unavailable, error.message];
  const name = error instanceof Error ? error.name : typeof error;
  return [
    EXIT.unavailable,
    `It failed for a reason that may hold a secret and is therefore not repeated here (${name}).`,
  ];
}

/** Whether nobody refused it: it was not answered, and may be another time. */
function isPassing({ code }: LeaseError): boolean {
  return ['Unavailable', 'Throttled', 'Timeout', 'IssueTimeout'].includes(code);
}
