import { escapeIdentifier, escapeLiteral } from 'pg';
import type { Provider } from '../provider';
import type { Credential } from './party';

/** What PostgreSQL held at one moment. */
export interface Look {
  /** When it had answered. */
  readonly at: number;
  /** Roles that are there. */
  readonly left: number;
  /** Those of them that PostgreSQL lets log in. */
  readonly usable: number;
}

/** The roles of some credentials, watched at PostgreSQL itself. Looks are made one after the other. */
export interface RoleWatch {
  /** Looks once. @throws Error if a role went, or was shut, before its expiry. */
  look(): Promise<Look>;
  /** All looks so far. */
  readonly looks: readonly Look[];
  /** For each role that is gone, when it was first seen to be. */
  readonly goneAt: ReadonlyMap<string, number>;
  readonly firstExpiry: number;
}

/**
 * Begins to watch. PostgreSQL keeps the list of what is there still and tells only what went since the look before, so that a look
 * at 20,000 roles costs it some milliseconds.
 * @param name of this watch; no two at the same time have the same.
 * @throws Error if one of the credentials has no role.
 */
export async function watchRoles(
  provider: Pick<Provider, 'query'>,
  name: string,
  credentials: readonly Credential[],
): Promise<RoleWatch> {
  const byRole = new Map(credentials.map((credential) => [credential.role, credential]));
  if (byRole.size !== credentials.length) throw new Error(`${name} gave two credentials the same role.`);
  const table = escapeIdentifier(`watched ${name}`);
  const roles = escapeLiteral([...byRole.keys()].join(' '));
  await provider.query(`DROP TABLE IF EXISTS ${table}`);
  await provider.query(`CREATE TEMPORARY TABLE ${table} (role name PRIMARY KEY)`);
  await provider.query(`INSERT INTO ${table} SELECT unnest(string_to_array(${roles}, ' '))::name`);
  await provider.query(`ANALYZE ${table}`);

  const looks: Look[] = [];
  const goneAt = new Map<string, number>();
  const firstExpiry = Math.min(...credentials.map(({ notBefore }) => notBefore));

  const look = async (): Promise<Look> => {
    const [row] = await provider.query(`WITH gone AS (
        DELETE FROM ${table} AS watched WHERE NOT EXISTS (SELECT FROM pg_authid WHERE rolname = watched.role) RETURNING role)
      SELECT ARRAY(SELECT role::text FROM gone) AS gone,
        (SELECT count(*)::int FROM ${table} AS watched JOIN pg_authid ON rolname = watched.role
          WHERE rolcanlogin AND (rolvaliduntil IS NULL OR rolvaliduntil > now())) AS usable`);
    const at = Date.now();
    for (const role of row?.['gone'] as readonly string[]) {
      goneAt.set(role, at);
      const early = (byRole.get(role)?.notBefore ?? 0) - at;
      if (early > 0) throw new Error(`${name}: role ${role} was gone ${early} ms before its expiry.`);
    }
    const seen: Look = { at, left: byRole.size - goneAt.size, usable: Number(row?.['usable']) };
    if (at < firstExpiry && seen.usable < byRole.size) {
      throw new Error(`${name}: ${byRole.size - seen.usable} roles could not log in before the first expiry.`);
    }
    looks.push(seen);
    return seen;
  };

  const first = await look();
  if (first.left !== byRole.size)
    throw new Error(`${name} issued ${byRole.size} credentials, and ${first.left} have a role.`);
  return { look, looks, goneAt, firstExpiry };
}

/**
 * When to look again: after the pause, but also just before the first expiry, so that what goes early is seen however long the
 * pause is.
 */
export function nextLook(now: number, pauseMs: number, firstExpiry: number): number {
  const usual = now + pauseMs;
  const before = firstExpiry - JUST_BEFORE_MS;
  return now < before && before < usual ? before : usual;
}

/** A look takes some milliseconds, and must have been answered by then. */
const JUST_BEFORE_MS = 60;
