import { UsageError } from '../exit';
import { isReserved } from './reserved';

/** Which variables that are already set are left as they are: all, or these. */
export type Preserve = true | readonly string[];

/** What a program is started with. */
export interface ChildEnvironment {
  /** The existing variables in their order, then the secrets by name. */
  readonly variables: Readonly<Record<string, string>>;
  /** Names of secrets that are not handed out as variables. */
  readonly withheld: readonly string[];
}

/** With which everything that the token may lease could be leased again. */
const OURS = ['LEASEHOLD_TOKEN', 'LEASEHOLD_TOKEN_FILE'];

/**
 * The variables of a program that gets these secrets. A secret takes the place of a variable of its name, unless that is preserved.
 * @param asked names of secrets that were asked for by name.
 * @throws UsageError if a name or a value cannot stand in an environment.
 */
export function childEnvironment(
  base: Readonly<Record<string, string>>,
  secrets: ReadonlyMap<string, string>,
  preserve: Preserve = [],
  asked: readonly string[] = [],
): ChildEnvironment {
  const isNamed = (name: string): boolean => preserve !== true && preserve.includes(name);
  const variables = new Map(Object.entries(base).filter(([name]) => !OURS.includes(name) || isNamed(name)));
  const withheld: string[] = [];
  for (const [name, value] of [...secrets].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (variables.has(name) && (preserve === true || isNamed(name))) continue;
    if (isReserved(name, asked.includes(name))) {
      withheld.push(name);
      continue;
    }
    checkVariable(name, value);
    variables.set(name, value);
  }
  return { variables: Object.fromEntries(variables), withheld };
}

function checkVariable(name: string, value: string): void {
  if (name === '' || name.includes('=') || name.includes('\0')) {
    throw new UsageError(
      `${JSON.stringify(name)} cannot be the name of a variable: leave it out with --only-secrets, or use --mount.`,
    );
  }
  if (value.includes('\0')) {
    throw new UsageError(
      `The value of ${name} holds a NUL byte and cannot be a variable: leave it out with --only-secrets, or use --mount.`,
    );
  }
}
