import { escapeIdentifier, escapeLiteral } from 'pg';
import { IntegrationError } from '../integration';
import type { Calls } from './calls';
import { guardRole } from './guard';
import type { RoleHandle } from './handle';
import { lookUpRole } from './look';
import { assertOurs, readEstate, writeComment } from './mark';

/** Moves the instant after which the role's password is refused, and the mark that says so. Live sessions go on. */
export async function extendRole(calls: Calls, handle: RoleHandle, expiry: Date): Promise<void> {
  const looked = await lookUpRole(calls, handle.role);
  const { role } = looked;
  if (role === undefined) throw new IntegrationError('NotFound', { operation: 'LookUpRole', entity: handle.role });
  assertOurs(role.comment, handle, calls.attempt);
  const name = escapeIdentifier(handle.role);
  const estate = readEstate(role.comment, handle.estate);
  await calls.change('ExtendRole', () => [
    guardRole(handle.role, role, looked, calls.pace.validMs),
    `ALTER ROLE ${name} VALID UNTIL ${escapeLiteral(expiry.toISOString())}`,
    guardRole(handle.role, role, looked, calls.pace.validMs),
    `COMMENT ON ROLE ${name} IS ${escapeLiteral(writeComment(calls.attempt, expiry, estate))}`,
  ]);
}
