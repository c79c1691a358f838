import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { IntegrationError } from '../integration';
import type { EntityMark, EntityMarks } from '../integration';
import type { Estate, RoleHandle } from './handle';

/** What the comment of a leased role says, as JSON. */
const comment = z.object({
  'managed-by': z.literal('leasehold'),
  deployment: z.string(),
  lease: z.string(),
  'expires-at': z.iso.datetime().optional().catch(undefined),
  owned: z.enum(['reassign', 'drop']).optional().catch(undefined),
  owner: z.string().nullable().optional().catch(undefined),
});

/**
 * The comment that a role is born with: no role of ours is ever without it. Each writing of it differs from all others, so
 * that a change which arrives late can tell that it is not the role it was meant for any more.
 */
export function writeComment(mark: EntityMark, expiry: Date, estate: Estate): string {
  return JSON.stringify({
    'managed-by': 'leasehold',
    deployment: mark.deployment,
    lease: mark.leaseId,
    'expires-at': expiry.toISOString(),
    ...estate,
    revision: randomBytes(9).toString('base64url'),
  });
}

/** What a role's comment says; nothing when it is none that {@link writeComment} wrote. */
export function readMarks(text: string | null): EntityMarks {
  const read = parse(text);
  if (read === null) return { deployment: null, leaseId: null, expiresAt: null };
  const expiresAt = read['expires-at'];
  return {
    deployment: read.deployment,
    leaseId: read.lease,
    expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
  };
}

/**
 * What should become of what the role owns, as its comment says, which no holder can change.
 * @param otherwise of what the comment has no word about, as where it was changed by hand. Absent: nothing is deleted.
 */
export function readEstate(text: string | null, otherwise: Estate = { owned: 'reassign', owner: null }): Estate {
  const read = parse(text);
  if (read?.owned === undefined) return otherwise;
  if (read.owned === 'drop') return { owned: 'drop' };
  const fallback = otherwise.owned === 'reassign' ? otherwise.owner : null;
  return { owned: 'reassign', owner: read.owner === undefined ? fallback : read.owner };
}

/**
 * Lets only this lease's own role pass.
 * @throws IntegrationError `Refused` for every other role, which then must not be touched.
 */
export function assertOurs(text: string | null, { role }: RoleHandle, mark: EntityMark): void {
  const { deployment, leaseId } = readMarks(text);
  if (deployment === mark.deployment && leaseId === mark.leaseId) return;
  const difference =
    deployment === null ? "without Leasehold's comment" : 'whose comment names another lease or installation';
  throw new IntegrationError('Refused', {
    operation: 'LookUpRole',
    entity: role,
    hint:
      `There is a role of this name ${difference}; it was not touched. ` +
      'If it is a leftover of this lease, restore its comment or drop it by hand.',
  });
}

function parse(text: string | null): z.output<typeof comment> | null {
  if (text === null) return null;
  try {
    return comment.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
