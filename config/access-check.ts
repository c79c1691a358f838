import type { Path } from './problems';
import { entriesOf, fieldOf, itemsOf } from './records';
import { nameSchema } from './rights';
import type { Finding } from './sentences';

/**
 * Checks what stands in `access` against itself and the rest of the file. A scope that names what is not there would lock
 * somebody out without a word. Takes the file as it was read, so that a mistake elsewhere hides none here.
 */
export function checkAccess(file: unknown): readonly Finding[] {
  const access = fieldOf(file, 'access');
  const tokens = entriesOf(access, 'tokens').map(([name, entry]) => ({ path: ['access', 'tokens', name], entry }));
  const issuers = entriesOf(access, 'oidc').map(([name, entry]) => ({ path: ['access', 'oidc', name], entry }));
  const rules = issuers.flatMap(({ path, entry }) =>
    itemsOf(entry, 'rules').map((rule, index) => ({ path: [...path, 'rules', index], entry: rule })),
  );
  return [
    ...[...tokens, ...rules].flatMap(({ path, entry }) => checkScopes(file, entry, path)),
    ...checkUnique(tokens, 'hash', 'a token is made for one name'),
    ...checkUnique(issuers, 'issuer', 'an issuer has one entry, with all its rules'),
  ];
}

interface Entry {
  readonly path: Path;
  readonly entry: unknown;
}

function checkScopes(file: unknown, entry: unknown, base: Path): readonly Finding[] {
  const projects = new Map(entriesOf(file, 'projects'));
  return itemsOf(entry, 'scopes').flatMap((scope, index): readonly Finding[] => {
    if (typeof scope !== 'string') return [];
    const [project = '', config] = scope.split('/');
    const path = [...base, 'scopes', index];
    // Anything else is no scope at all, which is told as that.
    if (project === '*' || config === undefined) return [];
    if (!projects.has(project)) {
      return [{ path, message: `must name a project of this file: ${listed([...projects.keys()])}` }];
    }
    const configs = entriesOf(projects.get(project), 'configs').map(([name]) => name);
    if (config === '*' || configs.includes(config)) return [];
    return [{ path, message: `must name a config of project ${project}: ${listed(configs)}` }];
  });
}

function checkUnique(entries: readonly Entry[], field: string, why: string): readonly Finding[] {
  const seen = new Map<unknown, string>();
  return entries.flatMap(({ path, entry }): readonly Finding[] => {
    const value = fieldOf(entry, field);
    const first = seen.get(value);
    if (typeof value !== 'string') return [];
    if (first === undefined) {
      // What is no name may be a token in the wrong place.
      const name = nameSchema.safeParse(path.at(-1));
      seen.set(value, name.success ? name.data : 'another entry');
      return [];
    }
    return [{ path: [...path, field], message: `is also that of ${first}: ${why}` }];
  });
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'there is none yet' : names.join(', ');
}
