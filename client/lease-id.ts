import { randomBytes } from 'node:crypto';
import { digestOf } from '../sealing/parts';
import { encodeBase32 } from '../temporal/base32';

const ID_BYTES = 15;

/** What an idempotency key belongs to. Any other value in any field is another lease. */
export interface LeaseIdParts {
  readonly deployment: string;
  readonly holder: string;
  readonly project: string;
  readonly config: string;
  readonly dynamicSecret: string;
  readonly idempotencyKey: string;
}

/** A lease id that nobody can guess or meet again: 120 random bits. */
export function randomLeaseId(): string {
  return encodeBase32(randomBytes(ID_BYTES));
}

/** The lease id of an idempotency key: the same parts give the same id, in every process and release. */
export function deriveLeaseId(parts: LeaseIdParts): string {
  const { deployment, holder, project, config, dynamicSecret, idempotencyKey } = parts;
  const digest = digestOf('leasehold lease id 1', [deployment, holder, project, config, dynamicSecret, idempotencyKey]);
  return encodeBase32(digest.subarray(0, ID_BYTES));
}
