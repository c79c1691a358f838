import { LEASE_ENDS, LEASE_ID_PATTERN } from '../workflows/words';
import { parseTtl, TtlError } from '../workflows/ttl';
import { checkRecipient } from '../sealing/recipient';
import type { RecipientKeyPair } from '../sealing/recipient';
import { open, seal } from '../sealing/seal';
import { SealingError } from '../sealing/sealing-error';
import { keepAsserted } from './identity';
import { LeaseError } from './leases';
import { invalid, UNPRINTABLE } from './refusals';
import type { IssueRequest, LeaseFilter, RevokeOptions, SeenState } from './leases';
import type { SealedIssueRequest } from './service';

/** To whom a credential is sealed. `privateKey` null: the caller has it, and what is sealed is not opened here. */
export type Recipient = Pick<RecipientKeyPair, 'publicJwk'> & {
  readonly privateKey: RecipientKeyPair['privateKey'] | null;
};

/** A request of which every field has been looked at. */
export interface CheckedRequest {
  readonly project: string;
  readonly config: string;
  readonly dynamicSecret: string;
  readonly ttlMs: number | null;
  /** As it is kept. */
  readonly holder: string;
  readonly idempotencyKey: string | null;
  /** The key to seal to, and, unless the caller keeps it to itself, the one that opens; null: a fresh pair. */
  readonly recipient: Recipient | null;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
}

/** How long an issue is waited for unless told otherwise, and over HTTP: above the 60 s that a provision may take by default. */
export const ISSUE_TIMEOUT_MS = 75_000;
const LONGEST_TIMEOUT_MS = 24 * 60 * 60_000;
const MAX_REASON_CHARACTERS = 200;

const SCOPE_NAME = /^[a-z0-9_-]{1,64}$/;
const SECRET_NAME = /^[A-Z][A-Z0-9_]{0,63}$/;

const ISSUE_FIELDS: Readonly<Record<keyof IssueRequest, true>> = {
  project: true,
  config: true,
  dynamicSecret: true,
  ttl: true,
  holder: true,
  idempotencyKey: true,
  recipient: true,
  signal: true,
  timeoutMs: true,
};
const REVOKE_FIELDS: Readonly<Record<keyof RevokeOptions, true>> = {
  by: true,
  reason: true,
  wait: true,
  signal: true,
  timeoutMs: true,
};
const FILTER_FIELDS: Readonly<Record<keyof LeaseFilter, true>> = {
  state: true,
  project: true,
  config: true,
  dynamicSecret: true,
  integration: true,
  holder: true,
  entity: true,
  live: true,
  pageSize: true,
};
export const STATES: readonly SeenState[] = [
  'provisioning',
  'active',
  'deprovisioning',
  'stuck',
  ...LEASE_ENDS,
  'terminated',
];

/**
 * Reads an issue request. Callers may be plain JavaScript, so nothing is taken for granted.
 * @throws LeaseError `InvalidInput` or `InvalidTtl` that names the field.
 */
export async function checkIssue(request: IssueRequest, keep = keepAsserted): Promise<CheckedRequest> {
  const fields = readFields(request, ISSUE_FIELDS, 'request');
  const checked = {
    project: checkName(fields.project, 'project', SCOPE_NAME, 'of lower-case letters, digits, - and _'),
    config: checkName(fields.config, 'config', SCOPE_NAME, 'of lower-case letters, digits, - and _'),
    dynamicSecret: checkName(fields.dynamicSecret, 'dynamicSecret', SECRET_NAME, 'of A-Z, 0-9 and _, from a letter on'),
    ttlMs: fields.ttl === undefined ? null : checkTtl(fields.ttl),
    holder: keep(fields.holder, 'holder'),
    idempotencyKey: fields.idempotencyKey === undefined ? null : checkIdempotencyKey(fields.idempotencyKey),
    signal: checkSignal(fields.signal),
    timeoutMs: checkTimeout(fields.timeoutMs, 'timeoutMs') ?? ISSUE_TIMEOUT_MS,
  };
  return { ...checked, recipient: fields.recipient === undefined ? null : await checkKeyPair(fields.recipient) };
}

/** As {@link checkIssue}, for a caller that keeps the private key to itself. */
export async function checkSealedIssue(request: SealedIssueRequest, keep = keepAsserted): Promise<CheckedRequest> {
  const { recipientJwk, ...rest } = request;
  const checked = await checkIssue(rest, keep);
  try {
    const publicJwk = checkRecipient(recipientJwk);
    // Only using it shows whether it is a point on its curve, and later something would have been made in vain.
    await seal({ TRIAL: '' }, publicJwk, 'trial');
    return { ...checked, recipient: { publicJwk, privateKey: null } };
  } catch (error) {
    if (!(error instanceof SealingError)) throw error;
    throw invalid('recipientJwk', `is no public key that can be used. ${error.message.replace(/\.$/, '')}`);
  }
}

/** What a revoke is, read. `waitMs` null: not waited for; infinite only if the caller gave nothing else and a signal. */
export interface CheckedRevoke {
  readonly by: string | null;
  readonly reason: string | null;
  readonly waitMs: number | null;
  readonly signal: AbortSignal | undefined;
}

/** How long `wait: true` waits: a removal that takes longer is as good as stuck. */
const REMOVAL_TIMEOUT_MS = 5 * 60_000;

export function checkRevoke(options: RevokeOptions | undefined, keep = keepAsserted): CheckedRevoke {
  const fields = readFields(options ?? {}, REVOKE_FIELDS, 'options');
  const { by, reason, wait } = fields;
  if (reason !== undefined && typeof reason !== 'string') throw invalid('reason', 'must be text');
  if (wait !== undefined && typeof wait !== 'boolean' && typeof wait !== 'number') {
    throw invalid('wait', 'must be true, false or a number of milliseconds');
  }
  const bound = checkTimeout(fields.timeoutMs, 'timeoutMs') ?? REMOVAL_TIMEOUT_MS;
  const waited = typeof wait === 'number' ? checkTimeout(wait, 'wait') : undefined;
  return {
    by: by === undefined ? null : keep(by, 'by'),
    reason: reason === undefined ? null : Array.from(reason).slice(0, MAX_REASON_CHARACTERS).join(''),
    waitMs: waited ?? (wait === true ? bound : null),
    signal: checkSignal(fields.signal),
  };
}

export function checkFilter(filter: LeaseFilter | undefined): LeaseFilter {
  const fields = readFields(filter ?? {}, FILTER_FIELDS, 'filter');
  for (const name of ['project', 'config', 'dynamicSecret', 'integration', 'holder', 'entity'] as const) {
    const value: unknown = fields[name];
    if (value === undefined) continue;
    if (typeof value !== 'string' || value === '' || value.length > 255 || UNPRINTABLE.test(value)) {
      throw invalid(name, 'must be 1 to 255 printable characters');
    }
  }
  if (fields.state !== undefined && !STATES.includes(fields.state)) {
    throw invalid('state', `must be one of ${STATES.join(', ')}`);
  }
  if (fields.live !== undefined && typeof fields.live !== 'boolean') throw invalid('live', 'must be true or false');
  const { pageSize } = fields;
  if (pageSize !== undefined && !(Number.isSafeInteger(pageSize) && pageSize >= 1 && pageSize <= 1_000)) {
    throw invalid('pageSize', 'must be a whole number from 1 to 1000');
  }
  return fields;
}

export function checkLeaseId(leaseId: unknown): string {
  if (typeof leaseId === 'string' && LEASE_ID_PATTERN.test(leaseId)) return leaseId;
  throw invalid('leaseId', 'must be 24 characters of lower-case base 32');
}

export function checkTtl(ttl: unknown, field = 'ttl'): number {
  try {
    return parseTtl(ttl);
  } catch (error) {
    if (error instanceof TtlError) throw new LeaseError('InvalidTtl', error.message, { field });
    throw error;
  }
}

export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw invalid('signal', 'must be an AbortSignal');
}

export function checkTimeout(timeoutMs: unknown, field: string): number | undefined {
  if (timeoutMs === undefined) return undefined;
  if (typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs <= LONGEST_TIMEOUT_MS) return Math.ceil(timeoutMs);
  throw invalid(field, `must be a number of milliseconds from 1 to ${LONGEST_TIMEOUT_MS}`);
}

function checkIdempotencyKey(value: unknown): string {
  const fits = typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= 255 && !UNPRINTABLE.test(value);
  if (!fits) throw invalid('idempotencyKey', 'must be 1 to 255 bytes of printable text');
  return value;
}

function checkName(value: unknown, field: string, pattern: RegExp, what: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw invalid(field, `must be 1 to 64 characters ${what}`);
}

/** A pair of which the halves do not fit would have a credential made that nobody can open. */
async function checkKeyPair(value: unknown): Promise<RecipientKeyPair> {
  if (typeof value !== 'object' || value === null) throw invalid('recipient', KEY_PAIR);
  const { publicJwk, privateKey } = value as Partial<RecipientKeyPair>;
  try {
    const pair = { publicJwk: checkRecipient(publicJwk), privateKey: privateKey as RecipientKeyPair['privateKey'] };
    await open(await seal({ TRIAL: '' }, pair.publicJwk, 'trial'), pair.privateKey, 'trial');
    return pair;
  } catch {
    throw invalid('recipient', KEY_PAIR);
  }
}

const KEY_PAIR =
  'must be a key pair as generateRecipient makes it: the public JWK and the private key that belongs to it';

function readFields<T extends object>(value: T, known: Readonly<Record<keyof T, true>>, what: string): T {
  if (typeof value !== 'object' || (value as unknown) === null || Array.isArray(value)) {
    throw invalid(what, 'must be an object');
  }
  const odd = Object.keys(value).find((name) => !Object.hasOwn(known, name));
  if (odd === undefined) return value;
  const shown = odd.replace(/[^\x20-\x7e]/g, '?').slice(0, 40);
  throw invalid(shown, `is no field of the ${what}, which has ${Object.keys(known).join(', ')}`);
}
