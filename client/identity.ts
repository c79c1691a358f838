import { createHash } from 'node:crypto';
import { encodeBase32 } from '../temporal/base32';
import { invalid, UNPRINTABLE } from './refusals';

/**
 * Turns what a caller gave as a holder, or as who asks, into what is kept.
 * @throws LeaseError `InvalidInput` that names the field.
 */
export type KeepName = (value: unknown, field: string) => string;

const MAX_NAME_BYTES = 200;
const HASHED = 'sha256:';

/**
 * `<alias>:<subject>`, at most 200 bytes; a longer subject is hashed.
 * @param alias of the issuer that vouches for the subject.
 */
export function nameOf(alias: string, subject: string): string {
  const prefix = `${alias}:`;
  const fits = Buffer.byteLength(prefix + subject) <= MAX_NAME_BYTES;
  // What looks hashed is hashed, so that nobody can spell another's hashed name.
  if (fits && !subject.startsWith(HASHED)) return prefix + subject;
  return prefix + HASHED + encodeBase32(createHash('sha256').update(subject).digest());
}

/** What a program asserts of itself: `library:<text>`. */
export const keepAsserted: KeepName = (value, field) => {
  if (typeof value !== 'string' || value.trim() === '') throw invalid(field, 'must be text that is not blank');
  if (UNPRINTABLE.test(value)) throw invalid(field, 'must have no control characters and no broken characters');
  return nameOf('library', value);
};

/** What {@link nameOf} made, by a process that has looked at who asks. */
export const keepVerified: KeepName = (value, field) => {
  if (typeof value === 'string' && /^[a-z0-9-]+:./u.test(value) && !UNPRINTABLE.test(value)) return value;
  throw invalid(field, 'must be <issuer alias>:<subject>');
};
