import { quote } from '../workflows/quote';
import { ConfigError } from './problems';

// The only reader of the process's environment, apart from the libraries that read their own variables.

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** The variable's text; undefined if it is not set. An empty one is set. */
export function readVariable(name: string): string | undefined {
  return Object.hasOwn(process.env, name) ? process.env[name] : undefined;
}

/** Where the configuration file is: LEASEHOLD_CONFIG, else `leasehold.yaml` in the working directory unless told otherwise. */
export function configPath(otherwise = 'leasehold.yaml'): string {
  return readNonEmpty('LEASEHOLD_CONFIG') ?? otherwise;
}

/**
 * How much is logged: LEASEHOLD_LOG_LEVEL, else `info`.
 * @throws ConfigError if it is none of {@link LOG_LEVELS}.
 */
export function logLevel(): LogLevel {
  const given = readNonEmpty('LEASEHOLD_LOG_LEVEL') ?? 'info';
  const level = LOG_LEVELS.find((known) => known === given);
  if (level !== undefined) return level;
  const message = `${quote(given)} is no log level. Allowed: ${LOG_LEVELS.join(', ')}.`;
  throw new ConfigError('The environment', [{ path: 'LEASEHOLD_LOG_LEVEL', message }]);
}

/** A variable that was emptied, as deployment templates do, counts as not set. */
function readNonEmpty(name: string): string | undefined {
  const text = readVariable(name);
  return text === '' ? undefined : text;
}
