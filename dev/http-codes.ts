import { toApiError } from '../api/errors';
import type { ApiErrorCode } from '../api/errors';
import { LeaseError } from '../client/leases';
import type { LeaseErrorCode } from '../client/leases';

/** A code of an error answer, as programs decide by it. */
export interface Code {
  readonly code: string;
  readonly status: number;
  readonly meaning: string;
  /** Operations that may answer it; null: all that may answer its status. */
  readonly at: readonly string[] | null;
}

type Explained = readonly [meaning: string, ...at: string[]];

const ISSUE = 'issueLease';
const EXTEND = 'extendLease';
const ONE_LEASE = ['getLease', EXTEND, 'revokeLease', 'abandonLease'];

/** Of no operation in particular: the table of codes tells where. */
const NOWHERE = 'none';

/** What comes of leases. Without an operation: of all that have the status. */
const OF_LEASES: Readonly<Record<LeaseErrorCode, Explained>> = {
  InvalidInput: ['`field` is not what is expected'],
  InvalidTtl: ['no span of time, or out of the range that the sentence names', ISSUE, EXTEND],
  UnknownDynamicSecret: ['there is none of this name in the config, or the token may not use it', ISSUE, 'disownLease'],
  UnknownIntegration: ['the worker’s configuration does not have the integration', ISSUE],
  LeaseNotFound: ['it never was, is forgotten, or is none of the token’s', ...ONE_LEASE],
  IntegrationRetired: ['the integration issues no new leases', ISSUE],
  Paused: ['the integration issues none for now', ISSUE],
  Blocked: ['an admin blocks such leases until the block is lifted', ISSUE],
  AlreadyIssued: ['the lease of this `Idempotency-Key` is sealed to another key; `lease_id` names it', ISSUE],
  IdempotencyMismatch: ['the `Idempotency-Key` was used with another TTL', ISSUE],
  LeaseEnded: ['`state` says how; a new credential needs another `Idempotency-Key`', ISSUE, ...ONE_LEASE.slice(1)],
  LeaseNotActive: ['it is not active yet or not any more', EXTEND],
  ExtensionLimit: ['extended 500 times, or nothing that can be: issue another one', EXTEND],
  QuotaExceeded: ['a limit of the configuration or of the provider is reached', ISSUE],
  Throttled: ['the provider has too many requests for now', ISSUE, EXTEND],
  Refused: ['the provider refused; the sentence says what', ISSUE, EXTEND],
  NotFound: ['the provider does not have what the lease needs', ISSUE, EXTEND],
  AbsenceUnproven: ['only in the `failure` of a lease: it is not certain yet that nothing is left', NOWHERE],
  Unavailable: ['Temporal, a worker, the provider, an OIDC issuer or the audit log cannot be reached'],
  IssueTimeout: ['not issued in time; the sentence says if no worker is running', ISSUE],
  Timeout: ['not confirmed in time; the lease says what became of it', EXTEND],
  SealingFailed: ['the answer cannot be opened by whom it is for; the lease was revoked', ISSUE],
  Aborted: ['the client hung up; the lease was revoked', ISSUE],
  Unauthenticated: ['the token is missing, wrong or expired'],
  Forbidden: ['the token lacks the right'],
};

/** What only the API refuses, with its status. */
const OF_THE_API: Readonly<Record<ApiErrorCode, readonly [status: number, ...explained: Explained]>> = {
  unauthenticated: [401, OF_LEASES.Unauthenticated[0]],
  forbidden: [403, OF_LEASES.Forbidden[0]],
  not_found: [
    404,
    'there is no such thing, or it is none of the token’s',
    'getRevocation',
    'revokeMany',
    'liftBlock',
    'checkIntegration',
    'getSecrets',
  ],
  read_only: [405, 'Doppler’s routes only: it stands in the configuration and cannot be changed here', NOWHERE],
  invalid_input: [400, OF_LEASES.InvalidInput[0]],
  payload_too_large: [413, 'the body is larger than 64 KiB'],
  unsupported_media_type: [415, 'the body must be JSON, with `Content-Type: application/json`'],
  method_not_allowed: [405, '`Allow` says what is possible', NOWHERE],
  request_timeout: [408, 'the request did not arrive whole within 10 s', NOWHERE],
  headers_too_large: [431, 'the head of the request is larger than 16 KiB', NOWHERE],
  rate_limited: [429, 'too many requests, or streams at once; `Retry-After` says when to try again'],
  unavailable: [502, OF_LEASES.Unavailable[0]],
  shutting_down: [503, 'the process is about to end: send the request again', NOWHERE],
  internal: [500, 'not foreseen; the server’s log names it by the `request_id`', NOWHERE],
};

/** Every code that an error answer may have, by status. */
export function allCodes(): readonly Code[] {
  const ofLeases = Object.entries(OF_LEASES).map(([name, [meaning, ...at]]) => {
    const { status, code } = toApiError(new LeaseError(name as LeaseErrorCode, meaning));
    return { code, status, meaning, at: at.length === 0 ? null : at };
  });
  const ofTheApi = Object.entries(OF_THE_API).map(([code, [status, meaning, ...at]]) => ({
    code,
    status,
    meaning,
    at: at.length === 0 ? null : at,
  }));
  const known = new Set(ofLeases.map(({ code, status }) => `${status} ${code}`));
  const all = [...ofLeases, ...ofTheApi.filter(({ code, status }) => !known.has(`${status} ${code}`))];
  return all.sort((one, other) => one.status - other.status || one.code.localeCompare(other.code));
}

/** Those that an operation may answer with this status. */
export function codesOf(operationId: string, status: number): readonly string[] {
  return allCodes()
    .filter((each) => each.status === status && (each.at === null || each.at.includes(operationId)))
    .map(({ code }) => code);
}
