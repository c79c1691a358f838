import { flatNames, LEASE_FIELDS } from '../../flat/names';
import { quote } from '../../workflows/quote';
import { refusal } from '../errors';
import type { ConfigSettings, Place } from '../place';

/** What a request asks for. */
export interface Selection {
  /** Names of static secrets. */
  readonly statics: readonly string[];
  /** Dynamic secrets to be leased, each with the names under which it is handed out. */
  readonly dynamics: ReadonlyMap<string, readonly string[]>;
}

const NAMES_SHOWN = 10;

/**
 * What the list of names means; nothing: everything. Beside a single flattened name the lease's id and end are handed out, so that
 * it can be revoked; beside the name of a dynamic secret also an entry of that very name, because Doppler's CLI wants to see
 * every name that it gave (`--only-secrets`).
 * @throws ApiError 404 if there is no such name.
 */
export function select({ project, config, settings }: Place, written: string | undefined): Selection {
  const { secrets, dynamicSecrets } = settings;
  const names = [...new Set((written ?? '').split(',').map((name) => name.trim()))].filter((name) => name !== '');
  if (names.length === 0) {
    const dynamics = Object.entries(dynamicSecrets).map(
      ([name, { fields }]) => [name, flatNames(name, fields)] as const,
    );
    return { statics: Object.keys(secrets), dynamics: new Map(dynamics) };
  }
  const owners = ownersOf(settings);
  const statics: string[] = [];
  const dynamics = new Map<string, string[]>();
  const unknown: string[] = [];
  for (const name of names) {
    const owner = owners.get(name);
    if (Object.hasOwn(secrets, name)) statics.push(name);
    else if (owner === undefined) unknown.push(name);
    else {
      const dynamicSecret = dynamicSecrets[owner];
      const more =
        name === owner
          ? flatNames(owner, dynamicSecret?.fields ?? [])
          : LEASE_FIELDS.map((field) => `${owner}_${field}`);
      dynamics.set(owner, [...new Set([...(dynamics.get(owner) ?? []), name, ...more])]);
    }
  }
  if (unknown.length > 0) {
    const shown = unknown.slice(0, NAMES_SHOWN).map(quote).join(', ');
    throw refusal(404, 'not_found', `${project}/${config} has no secret ${shown}.`, { field: 'secrets' });
  }
  return { statics, dynamics };
}

/** To which dynamic secret a name belongs, its own or a flattened one. */
export function ownersOf({ dynamicSecrets }: ConfigSettings): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const [name, { fields }] of Object.entries(dynamicSecrets)) {
    for (const each of [name, ...flatNames(name, fields)]) owners.set(each, name);
  }
  return owners;
}
