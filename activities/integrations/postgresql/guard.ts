import { escapeLiteral } from 'pg';
import type { LookedUp, Role } from './look';

/**
 * Statements that fail, and with them the whole text they stand in, when a condition does not hold at the server. A change may
 * arrive long after it was sent, when the attempt that sent it was replaced: what it must not do then, only the server
 * can see. They divide by zero, because that needs no procedural language.
 */

/** Fails if the role is not any more what it was when it was looked at, or once the text is too old. */
export function guardRole(name: string, role: Role, looked: LookedUp, validMs: number): string {
  return (
    `SELECT 1 / count(*) FROM pg_roles WHERE oid = ${role.oid} AND rolname = ${escapeLiteral(name)} ` +
    `AND shobj_description(oid, 'pg_authid') = ${escapeLiteral(role.comment ?? '')} AND ${isFresh(looked, validMs)}`
  );
}

/** Fails once the text is too old. */
export function guardAge(looked: LookedUp, validMs: number): string {
  return `SELECT 1 / (${isFresh(looked, validMs)})::int`;
}

/** Fails while the role has sessions. */
export function guardNoSessions({ oid }: Role): string {
  return `SELECT 1 / (count(*) = 0)::int FROM pg_stat_activity WHERE usesysid = ${oid}`;
}

/** By the server's own clock, as it stood when the role was looked up: the worker's may be wrong. */
function isFresh({ serverMs, heardAt }: LookedUp, validMs: number): string {
  const until = serverMs + (performance.now() - heardAt) + validMs;
  return `extract(epoch FROM clock_timestamp()) * 1000 < ${Math.round(until)}`;
}
