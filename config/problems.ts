import { quote } from '../workflows/quote';

/** Where in a configuration: keys and list positions from the root. */
export type Path = readonly PropertyKey[];

/** A path as the key of a map. */
export function keyOf(path: Path): string {
  return JSON.stringify(path);
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One thing to put right in a configuration. Holds no value that may be secret. */
export interface Problem {
  /** E.g. `integrations.aws-prod.connection.region`; empty: the file as a whole. */
  readonly path: string;
  /** What is wrong and what is allowed. */
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

const SHOWN = 100;

/** A configuration that cannot be used. All problems at once, in the order of the file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  /** @param source what was read, for people, e.g. the name of the file. */
  constructor(
    source: string,
    readonly problems: readonly Problem[],
  ) {
    super(summarize(source, problems));
  }
}

/** A problem at a place, which is named as far as it can be without repeating a secret. */
export function problemAt(path: Path, message: string, position?: Position): Problem {
  return { path: formatPath(path), message, ...position };
}

export function formatPath(path: Path): string {
  const secretFrom = findSecretPart(path);
  return path.reduce<string>((text, part, index) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const name = String(part);
    if (index >= secretFrom && !isPlainName(name)) return `${text}.…`;
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) return `${text}[${quote(name)}]`;
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/** Below a connection, among static secrets and tokens and in a webhook a key may be a secret in the wrong place. */
function findSecretPart(path: Path): number {
  if (path[0] === 'integrations' && path[2] === 'connection') return 3;
  if (path[0] === 'projects' && path[2] === 'configs' && path[4] === 'secrets') return 5;
  if (path[0] === 'access' && path[1] === 'tokens') return 2;
  if (path[0] === 'alerts' && path[1] === 'webhooks') return 2;
  return Infinity;
}

/** Whether a key looks like a name that somebody made up, and not like a token. */
function isPlainName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_-]{0,39}$/.test(name) && name.replace(/[^0-9]/g, '').length <= 3;
}

function summarize(source: string, problems: readonly Problem[]): string {
  const [only] = problems;
  if (problems.length === 1 && only !== undefined) return `${source}: ${describe(only)}`;
  const lines = problems.slice(0, SHOWN).map((problem) => `  ${describe(problem)}`);
  const left = problems.length - lines.length;
  if (left > 0) lines.push(`  and ${left} more`);
  return [`${source} has ${problems.length} problems:`, ...lines].join('\n');
}

function describe({ path, message, line, column }: Problem): string {
  const place = line === undefined || column === undefined ? '' : `line ${line}, column ${column}`;
  const where = path === '' ? place : place === '' ? path : `${path} (${place})`;
  return where === '' ? message : `${where}: ${message}`;
}
