import type { Tag, User } from '@aws-sdk/client-iam';
import { IntegrationError } from '../integration';
import type { EntityMark, EntityMarks } from '../integration';
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

/** What a user's tags say; nothing when it is another than the handle means, whatever tags that one has. */
export function readMarks(user: User, handle: UserHandle): EntityMarks {
  if (user.UserName !== handle.userName || user.Path !== handle.path) {
    return { deployment: null, leaseId: null, expiresAt: null };
  }
  return {
    deployment: readTag(user, DEPLOYMENT) ?? null,
    leaseId: readTag(user, LEASE) ?? null,
    expiresAt: parseInstant(readTag(user, EXPIRES_AT)),
  };
}

/** Only what `expiryTag` writes, with or without milliseconds: a date that has to be guessed at is none. */
function parseInstant(text: string | undefined): Date | null {
  if (text === undefined || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/.test(text)) return null;
  const instant = new Date(text);
  if (Number.isNaN(instant.getTime())) return null;
  // JavaScript takes 30 February for 2 March.
  return instant.toISOString().startsWith(text.slice(0, 19)) ? instant : null;
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
