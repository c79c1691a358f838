import { z } from 'zod';
import { grantTemplate } from './grant-template';
import { objectName } from './syntax';

const roles = z
  .array(objectName)
  .max(50, 'must hold at most 50 names')
  .refine((names) => new Set(names).size === names.length, 'must not name one role twice');

/** Parameters of a dynamic secret of type `postgresql`. */
export const postgresqlParameters = z
  .strictObject({
    /** Group roles that the leased role becomes a member of. */
    roles: roles.default([]),
    /** The database that the holder is told. Absent: the integration's. */
    database: objectName.optional(),
    /** How many connections the holder may have at once. */
    connection_limit: z.int().min(1, 'must be at least 1').max(10_000, 'must be at most 10000').default(5),
    /** Statements that grant what no group role does. */
    grants: z.array(grantTemplate).max(20, 'must hold at most 20 statements').default([]),
    /** A role that the holder acts as from the first moment, so that what it makes belongs to that one. */
    set_role: objectName.optional(),
    /** What becomes of what the leased role itself owns when the lease ends. */
    owned: z.enum(['reassign', 'drop']).default('reassign'),
    /** Who gets it. Absent: `set_role`. */
    owner: objectName.optional(),
  })
  .check(({ value, issues }) => {
    const refuse = (message: string, ...path: string[]): void => {
      issues.push({ code: 'custom', input: value, path, message });
    };
    if (value.roles.length === 0 && value.grants.length === 0 && value.set_role === undefined) {
      refuse('must grant something: set roles, grants or set_role, or the leased role could do nothing');
    }
    if (value.owned === 'drop' && value.owner !== undefined) {
      refuse('has no effect with owned: drop; leave one of the two out', 'owner');
    }
    if (value.owned === 'reassign' && value.owner === undefined && value.set_role === undefined) {
      refuse(
        'is missing: name the role that gets what a holder leaves behind, or write owned: drop to have it deleted',
        'owner',
      );
    }
  });

export type PostgresqlParameters = z.output<typeof postgresqlParameters>;
