import type { OfferedSecret, StaticSecrets } from '../client/http';
import { LEASE_FIELDS } from '../flat/names';
import { quote } from '../workflows/quote';
import { UsageError } from './exit';

/** What of a config is wanted. */
export interface Selection {
  /** Names of static secrets. */
  readonly statics: readonly string[];
  /** What is to be leased, each with the names under which it is handed out. */
  readonly dynamics: readonly Chosen[];
}

export interface Chosen {
  readonly secret: OfferedSecret;
  /** Flat names, a part of the secret's own. */
  readonly names: readonly string[];
}

/** What there is in a config. */
export interface Contents {
  readonly statics: StaticSecrets;
  readonly offered: readonly OfferedSecret[];
}

const NAMES_SHOWN = 10;

/**
 * What a list of names means; undefined: everything. A dynamic secret is named by its own name, or by a name under which it is handed
 * out: then it is handed out under that one alone, with the lease's id and end beside it, so that it can be revoked.
 * @throws UsageError of names that are not there.
 */
export function select({ statics, offered }: Contents, only: readonly string[] | undefined): Selection {
  if (only === undefined) {
    const dynamics = offered.map((secret) => ({ secret, names: secret.flatNames }));
    return { statics: Object.keys(statics.values), dynamics };
  }
  const wanted = new Set(only);
  const known = new Set([...Object.keys(statics.values), ...offered.flatMap(allNames)]);
  const unknown = [...wanted].filter((name) => !known.has(name));
  if (unknown.length > 0) throw noSuchSecrets(statics, unknown);
  const dynamics = offered
    .filter((secret) => allNames(secret).some((name) => wanted.has(name)))
    .map((secret) => ({ secret, names: namesOf(secret, wanted) }));
  return { statics: Object.keys(statics.values).filter((name) => wanted.has(name)), dynamics };
}

/** All names of a selection, under which values are handed out. */
export function handedOut({ statics, dynamics }: Selection): readonly string[] {
  return [...statics, ...dynamics.flatMap(({ names }) => names)];
}

/** Whether all names are of dynamic secrets, so that no static one needs to be known. */
export function areDynamic(names: readonly string[], offered: readonly OfferedSecret[]): boolean {
  return names.every((name) => offered.some((secret) => allNames(secret).includes(name)));
}

/** The names by which a dynamic secret can be called for: its own and those under which it is handed out. */
export function allNames({ dynamicSecret, flatNames }: OfferedSecret): readonly string[] {
  return [dynamicSecret, ...flatNames];
}

export function noSuchSecrets({ project, config }: StaticSecrets, names: readonly string[]): UsageError {
  const shown = names.slice(0, NAMES_SHOWN).map(quote).join(', ');
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  return new UsageError(
    `${project}/${config} has no secret ${shown}${more}, or the token may not see it: leasehold secrets lists what there is.`,
  );
}

function namesOf({ dynamicSecret, flatNames }: OfferedSecret, wanted: ReadonlySet<string>): readonly string[] {
  if (wanted.has(dynamicSecret)) return flatNames;
  const always = LEASE_FIELDS.map((field) => `${dynamicSecret}_${field}`);
  return flatNames.filter((name) => wanted.has(name) || always.includes(name));
}
