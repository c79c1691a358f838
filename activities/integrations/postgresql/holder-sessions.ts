import { escapeLiteral } from 'pg';
import { IntegrationError } from '../integration';
import type { Row } from './calls';
import type { Role } from './look';

/** Tells every session of the role to end. */
export function terminate({ oid }: Role): string {
  return `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = ${oid}`;
}

/** By the role's number and not its name, which a session loses when its role is dropped. */
export function sessionsOf({ oid }: Role): string {
  return countWhere(`usesysid = ${oid}`);
}

/** By its name, for a role that nothing is known of yet. */
export function sessionsNamed(role: string): string {
  return countWhere(`usename = ${escapeLiteral(role)}`);
}

function countWhere(condition: string): string {
  return `SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE ${condition}`;
}

export function readSessions(rows: readonly Row[] | undefined, entity: string): number {
  const sessions = rows?.[0]?.['sessions'];
  if (typeof sessions === 'number') return sessions;
  throw new IntegrationError('Unavailable', {
    operation: 'FindSessions',
    entity,
    hint: 'The answer was not understood.',
  });
}
