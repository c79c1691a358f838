import type { OfferedSecret } from '../../client/http';
import { LEASE_FIELDS } from '../../flat/names';
import { quote } from '../../workflows/quote';
import { checkTtlRange } from '../../workflows/ttl';
import { UsageError } from '../exit';

/** What a program is to have. */
export interface Selection {
  /** Names of static secrets. */
  readonly statics: readonly string[];
  readonly dynamics: readonly Wanted[];
}

/** A dynamic secret that is leased. */
export interface Wanted {
  readonly secret: OfferedSecret;
  /** Of its flat names those that are handed out. */
  readonly names: ReadonlySet<string>;
}

const NAMES_SHOWN = 10;

/**
 * What the names mean; undefined: everything. The name of a dynamic secret stands for all that it yields; one of its flat names for
 * that one, with the lease's id and end.
 * @throws UsageError if there is no such name.
 */
export function select(
  names: readonly string[] | undefined,
  statics: readonly string[],
  offered: readonly OfferedSecret[],
): Selection {
  if (names === undefined) {
    return { statics, dynamics: offered.map((secret) => ({ secret, names: new Set(secret.flatNames) })) };
  }
  const chosen = [...new Set(names)];
  const dynamics = offered.map((secret) => ({ secret, names: flatNamesOf(secret, chosen) }));
  const unknown = chosen.filter((name) => !statics.includes(name) && !offered.some((secret) => isOf(secret, name)));
  if (unknown.length > 0) {
    const shown = unknown.slice(0, NAMES_SHOWN).map(quote).join(', ');
    throw new UsageError(
      `--only-secrets: there is no secret ${shown} here, or the token may not see it. Nothing was leased.`,
    );
  }
  return {
    statics: statics.filter((name) => chosen.includes(name)),
    dynamics: dynamics.filter((each) => each.names.size > 0),
  };
}

/** Whether all names are of dynamic secrets, so that no static one needs to be known. */
export function areDynamic(names: readonly string[], offered: readonly OfferedSecret[]): boolean {
  return names.every((name) => offered.some((secret) => isOf(secret, name)));
}

/** @throws UsageError if a dynamic secret cannot be leased for so many seconds. */
export function checkTtls(ttl: number | undefined, dynamics: readonly Wanted[]): void {
  if (ttl === undefined) return;
  for (const { secret } of dynamics) {
    const problem = checkTtlRange(ttl * 1_000, secret.minTtlMs, secret.maxTtlMs);
    if (problem !== null) throw new UsageError(`--ttl, for ${secret.dynamicSecret}: ${problem} Nothing was leased.`);
  }
}

function isOf({ dynamicSecret, flatNames }: OfferedSecret, name: string): boolean {
  return name === dynamicSecret || flatNames.includes(name);
}

function flatNamesOf(secret: OfferedSecret, chosen: readonly string[]): ReadonlySet<string> {
  const { dynamicSecret, flatNames } = secret;
  if (chosen.includes(dynamicSecret)) return new Set(flatNames);
  const named = flatNames.filter((name) => chosen.includes(name));
  return new Set(named.length === 0 ? [] : [...named, ...LEASE_FIELDS.map((field) => `${dynamicSecret}_${field}`)]);
}
