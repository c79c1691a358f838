import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { MARK_LENGTH } from '../entity-name';

/** PostgreSQL cuts longer names off without a word: two of them could then be one. */
const MAX_NAME_BYTES = 63;

const MAX_PREFIX = MAX_NAME_BYTES - MARK_LENGTH;

/** The name of something that exists in PostgreSQL, of whatever characters. It is quoted wherever it is used. */
export const objectName = z
  .string()
  .min(1, 'must not be empty')
  .refine((name) => Buffer.byteLength(name) <= MAX_NAME_BYTES, `must be at most ${MAX_NAME_BYTES} bytes long`)
  .refine((name) => !/\p{Cc}/u.test(name), 'must hold no control characters');

/** Begins the names of leased roles; short and plain enough that nothing needs quoting in any tool. */
export const namePrefix = z
  .string()
  .regex(/^[a-z][a-z0-9_-]*$/, 'must begin with a-z and be made of a-z 0-9 _ - only')
  .regex(/^(?!pg_)/, 'must not begin with pg_, which PostgreSQL keeps for itself')
  .max(MAX_PREFIX, `must be at most ${MAX_PREFIX} characters: PostgreSQL allows 63 for the whole role name`);

/** A host name or an address; IPv6 without brackets. */
export const host = z
  .string()
  .max(255, 'must be at most 255 characters')
  .refine(
    (text) => /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?$/.test(text) || isIPv6(text),
    'must be a host name or an address, without port, scheme or brackets',
  );

export const port = z.int().min(1, 'must be from 1 to 65535').max(65_535, 'must be from 1 to 65535');

/** The path of a file that is no secret. */
export const filePath = z.string().regex(/^\/[^\0]+$/, 'must be the absolute path of a file in PEM format');
