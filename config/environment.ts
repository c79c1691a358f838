import { isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { quote } from '../workflows/quote';
import { ConfigError } from './problems';
import { readDuration } from './read-duration';

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

/**
 * Where audit lines are written: the file named by LEASEHOLD_AUDIT_FILE; null: standard output.
 * @throws ConfigError if it is no absolute path.
 */
export function auditFile(): string | null {
  const file = readNonEmpty('LEASEHOLD_AUDIT_FILE');
  if (file === undefined) return null;
  if (isAbsolute(file)) return file;
  const message = `${quote(file)} is no absolute path. Allowed: a path that begins with /, or nothing for standard output.`;
  throw new ConfigError('The environment', [{ path: 'LEASEHOLD_AUDIT_FILE', message }]);
}

/** Where something listens. The host is a name or an address, an IPv6 one without brackets. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Where metrics are served: LEASEHOLD_METRICS; null: nowhere. Without a host: on this machine alone. Port 0: any free one.
 * @throws ConfigError if it is no address with a port.
 */
export function metricsAddress(): ListenAddress | null {
  const written = readNonEmpty('LEASEHOLD_METRICS');
  if (written === undefined) return null;
  const address = parseAddress(written);
  if (address !== null) return address;
  const message = `${quote(written)} is no address with a port. Allowed: host:port, [IPv6 address]:port or :port, with a port up to 65535.`;
  throw new ConfigError('The environment', [{ path: 'LEASEHOLD_METRICS', message }]);
}

/** Which version of a Worker Deployment the workflows of a worker are, as Temporal's Worker Versioning has it. */
export interface WorkerVersion {
  readonly deployment: string;
  readonly build: string;
}

const DEPLOYMENT_VARIABLE = 'TEMPORAL_DEPLOYMENT_NAME';
const BUILD_VARIABLE = 'TEMPORAL_WORKER_BUILD_ID';
/** Temporal makes an id of both together, which a server may bound at 255 (`limit.maxIDLength`), as our compose file does. */
const VERSION_WORD = /^(?!__)[!-~]{1,100}$/;

/**
 * What TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID say together; null: neither is set, and the worker is unversioned.
 * @throws ConfigError if one is set alone, or if Temporal would not take it: it tells nobody but the log of its server.
 */
export function workerVersion(): WorkerVersion | null {
  const deployment = readNonEmpty(DEPLOYMENT_VARIABLE);
  const build = readNonEmpty(BUILD_VARIABLE);
  if (deployment === undefined && build === undefined) return null;
  if (deployment === undefined || build === undefined) {
    const [given, lacking] =
      build === undefined ? [DEPLOYMENT_VARIABLE, BUILD_VARIABLE] : [BUILD_VARIABLE, DEPLOYMENT_VARIABLE];
    const message = `is not set, but ${given} is. Set both for a versioned worker, or none.`;
    throw new ConfigError('The environment', [{ path: lacking, message }]);
  }
  const problems = [];
  if (!VERSION_WORD.test(build)) {
    const message = `${quote(build)} is no build id. Allowed: 1 to 100 printable ASCII characters without spaces that do not begin with __.`;
    problems.push({ path: BUILD_VARIABLE, message });
  }
  if (!VERSION_WORD.test(deployment) || /[.:]/.test(deployment)) {
    const message = `${quote(deployment)} is no name of a deployment. Allowed: 1 to 100 printable ASCII characters without spaces, "." and ":" that do not begin with __.`;
    problems.push({ path: DEPLOYMENT_VARIABLE, message });
  }
  if (problems.length > 0) throw new ConfigError('The environment', problems);
  return { deployment, build };
}

/**
 * Where the HTTP API listens: LEASEHOLD_API, else port 8400 of this machine alone. Port 0: any free one.
 * @param flag what `--listen` says instead.
 * @throws ConfigError if it is no address with a port.
 */
export function apiAddress(flag?: string): ListenAddress {
  const given = flag ?? readNonEmpty('LEASEHOLD_API');
  if (given === undefined) return { host: '127.0.0.1', port: 8_400 };
  const address = parseAddress(given);
  if (address !== null) return address;
  const message = `${quote(given)} is no address with a port. Allowed: host:port, [IPv6 address]:port or :port, with a port up to 65535.`;
  const [source, path] = flag === undefined ? ['The environment', 'LEASEHOLD_API'] : ['The command line', '--listen'];
  throw new ConfigError(source, [{ path, message }]);
}

/** Longer than a balancer needs that looks every second or two, or than Kubernetes takes to tell all its nodes. */
const API_LEAVE_MS = 5_000;
const LONGEST_LEAVE_MS = 5 * 60_000;

/**
 * How long the HTTP API, asked to stop, goes on taking requests while it says that it is about to end: LEASEHOLD_API_LEAVE, else 5 s.
 * @throws ConfigError if it is no duration up to 5 minutes.
 */
export function apiLeaveMs(): number {
  const written = readNonEmpty('LEASEHOLD_API_LEAVE');
  if (written === undefined) return API_LEAVE_MS;
  const ms = readDuration(written, true);
  if (typeof ms === 'number' && ms <= LONGEST_LEAVE_MS) return ms;
  const message = `${quote(written)} is not allowed. Allowed: a duration from 0s to 5m, e.g. 10s.`;
  throw new ConfigError('The environment', [{ path: 'LEASEHOLD_API_LEAVE', message }]);
}

/** What the environment says of the HTTP API that commands work with. Undefined: nothing. */
export interface ApiVariables {
  /** LEASEHOLD_HOST: its address. */
  readonly host: string | undefined;
  /** LEASEHOLD_TOKEN. */
  readonly token: string | undefined;
  /** LEASEHOLD_TOKEN_FILE: a file with the token, which somebody renews. */
  readonly tokenFile: string | undefined;
  /** LEASEHOLD_SCOPE: `project/config`. */
  readonly scope: string | undefined;
}

export function apiVariables(): ApiVariables {
  return {
    host: readNonEmpty('LEASEHOLD_HOST'),
    token: readNonEmpty('LEASEHOLD_TOKEN'),
    tokenFile: readNonEmpty('LEASEHOLD_TOKEN_FILE'),
    scope: readNonEmpty('LEASEHOLD_SCOPE'),
  };
}

/**
 * Where commands keep their settings: LEASEHOLD_SETTINGS, else `leasehold/settings.json` in XDG_CONFIG_HOME or `~/.config`; null: the
 * environment names no home.
 */
export function settingsFile(): string | null {
  const given = readNonEmpty('LEASEHOLD_SETTINGS');
  if (given !== undefined) return resolve(given);
  const xdg = readNonEmpty('XDG_CONFIG_HOME');
  // As the specification of these variables has it, one that is not absolute is not there.
  const home = xdg !== undefined && isAbsolute(xdg) ? xdg : homeConfig();
  return home === null ? null : join(home, 'leasehold', 'settings.json');
}

function homeConfig(): string | null {
  try {
    // Emptied or relative it would be the working directory, which is anybody's.
    const home = homedir();
    return isAbsolute(home) ? join(home, '.config') : null;
  } catch {
    return null;
  }
}

/** What a program of ours that only helps needs to find others: none of our secrets is in it. */
export function pathAlone(): Readonly<Record<string, string>> {
  const path = readVariable('PATH');
  return path === undefined ? {} : { PATH: path };
}

/** All variables, for a program that is started with them. In their order. */
export function allVariables(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

function parseAddress(written: string): ListenAddress | null {
  const [, v6, name, digits] = /^(?:\[([^\]]*)\]|([A-Za-z0-9._-]*)):([0-9]{1,5})$/.exec(written) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return null;
  if (v6 !== undefined) return isIPv6(v6) ? { host: v6, port } : null;
  return { host: name === undefined || name === '' ? '127.0.0.1' : name, port };
}

/** A variable that was emptied, as deployment templates do, counts as not set. */
function readNonEmpty(name: string): string | undefined {
  const text = readVariable(name);
  return text === '' ? undefined : text;
}
