import { LeaseError } from '../client/leases';
import type { LeaseErrorCode } from '../client/leases';
import { ConfigError } from '../config/problems';
import { MissingPackages } from '../packaging/missing';
import { NotPrintedError } from './output/print';
import { printableLines } from './output/printable';

/** What the commands exit with. `run` exits with its program's code once that was started. */
export const EXIT = {
  done: 0,
  /** It ran and found, or left, something wrong. */
  problems: 1,
  /** The command line or the configuration is wrong: nothing was done. */
  usage: 2,
  /** The API, Temporal or a worker did not do its part. */
  unavailable: 3,
  /** It was refused by the API, a worker or the provider. */
  refused: 4,
  /** The token is missing, wrong or expired, or lacks the right. */
  auth: 5,
  /** No answer came in time. */
  timeout: 6,
  /** As shells have it: the program is there and cannot be run. */
  notExecutable: 126,
  /** As shells have it: there is no such program. */
  notFound: 127,
  /** Called off by Ctrl-C, as shells number it. */
  interrupted: 130,
} as const;

/** A command line that cannot be followed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** There is no token, or it is of no use. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
}

/** Temporal, or the worker behind it, did not answer. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** What was asked for was begun and came to no good end. */
export class FailedError extends Error {
  override readonly name = 'FailedError';
}

/** A program that was to be run could not be started. */
export class NotStartedError extends Error {
  override readonly name = 'NotStartedError';

  constructor(
    readonly exitCode: typeof EXIT.notExecutable | typeof EXIT.notFound,
    message: string,
  ) {
    super(message);
  }
}

/** Runs a command and ends the process with its exit code. */
export async function exitWith(run: () => Promise<number>): Promise<void> {
  process.exitCode = await run().catch(tellError);
}

/** Says on standard error what went wrong and answers the exit code. Errors of ours are a sentence; any other is told by its kind alone. */
export function tellError(error: unknown): number {
  const [code, sentence] = explain(error);
  if (sentence !== '') process.stderr.write(`${printableLines(sentence)}\n`);
  return code;
}

/** The exit code and the sentence of an error. */
export function explain(error: unknown): readonly [code: number, sentence: string] {
  const isUsage = [ConfigError, UsageError, MissingPackages].some((each) => error instanceof each);
  if (error instanceof Error && isUsage) return [EXIT.usage, error.message];
  if (error instanceof AuthError) return [EXIT.auth, error.message];
  if (error instanceof LeaseError) return [CODES[error.code] ?? EXIT.refused, error.message];
  // A reader that has gone, as `head` does, is nobody to tell.
  if (error instanceof NotPrintedError) return [EXIT.problems, error.code === 'EPIPE' ? '' : error.message];
  if (error instanceof NotStartedError) return [error.exitCode, error.message];
  if (error instanceof FailedError) return [EXIT.problems, error.message];
  if (error instanceof UnavailableError) return [EXIT.unavailable, error.message];
  const name = error instanceof Error ? error.name : typeof error;
  return [
    EXIT.unavailable,
    `It failed for a reason that may hold a secret and is therefore not repeated here (${name}).`,
  ];
}

/** Of what nobody refused: it was not answered, or the caller is not known. */
const CODES: Readonly<Partial<Record<LeaseErrorCode, number>>> = {
  Unavailable: EXIT.unavailable,
  Throttled: EXIT.unavailable,
  Timeout: EXIT.timeout,
  IssueTimeout: EXIT.timeout,
  Unauthenticated: EXIT.auth,
  Forbidden: EXIT.auth,
};
