import type { Tag, User } from '@aws-sdk/client-iam';
import { IntegrationError } from '../integration';
import type { EntityMark } from '../integration';
import type { UserHandle } from './handle';

const MANAGED_BY = 'managed-by';
const DEPLOYMENT = 'leasehold:deployment';
const LEASE = 'leasehold:lease';
const EXPIRES_AT = 'leasehold:expires-at';

/** The tags a user is born with: no user of ours is ever without them. */
export function markTags(mark: EntityMark, expiry: Date): Tag[] {
  return [
    { Key: MANAGED_BY, Value: 'leasehold' },
    { Key: DEPLOYMENT, Value: mark.deployment },
    { Key: LEASE, Value: mark.leaseId },
    expiryTag(expiry),
  ];
}

/** When the user should be gone at the latest: what a sweep goes by when the lease itself is unknown. */
export function expiryTag(expiry: Date): Tag {
  return { Key: EXPIRES_AT, Value: expiry.toISOString() };
}

/**
 * Lets only this lease's own user pass: name, path, deployment and lease must all match.
 * @throws IntegrationError `Refused` for every other user, which then must not be touched.
 */
export function assertOurs(user: User, handle: UserHandle, mark: EntityMark): void {
  if (user.UserName !== handle.userName) throw stranger(handle, 'whose name differs in upper and lower case');
  if (user.Path !== handle.path) throw stranger(handle, 'under another path');
  const deployment = readTag(user, DEPLOYMENT);
  const lease = readTag(user, LEASE);
  if (deployment === mark.deployment && lease === mark.leaseId) return;
  throw stranger(
    handle,
    deployment === undefined || lease === undefined
      ? `without the tags ${DEPLOYMENT} and ${LEASE}`
      : `whose tags ${DEPLOYMENT} and ${LEASE} name another lease`,
  );
}

function stranger(handle: UserHandle, difference: string): IntegrationError {
  return new IntegrationError('Refused', {
    operation: 'GetUser',
    entity: handle.userName,
    hint:
      `There is a user of this name ${difference}; it was not touched. ` +
      'If it is a leftover of this lease, restore its tags or delete it by hand.',
  });
}

/** Tag keys are case-insensitive in IAM. */
function readTag(user: User, key: string): string | undefined {
  return user.Tags?.find((tag) => tag.Key?.toLowerCase() === key)?.Value;
}
