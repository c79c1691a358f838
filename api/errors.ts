import { AuditError } from '../audit/writer';
import type { LeaseErrorCode, LeaseErrorFacts } from '../client/leases';
import { LeaseError } from '../client/leases';
import { wireCode } from '../client/wire-code';
import type { ErrorBody } from '../client/wire';

/** What only the API refuses. */
export type ApiErrorCode =
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'read_only'
  | 'invalid_input'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'headers_too_large'
  | 'rate_limited'
  | 'unavailable'
  | 'shutting_down'
  | 'internal';

/** A refusal as a caller sees it. Its message is safe to show and to log. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly facts: LeaseErrorFacts = {},
    /** Seconds after which to try again. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

/** A refusal of the API's own. */
export function refusal(status: number, code: ApiErrorCode, message: string, facts?: LeaseErrorFacts): ApiError {
  return new ApiError(status, code, message, facts);
}

/**
 * Never 500, 503 or 504 where a lease may exist: Doppler's SDK sends such a request again. 502 is what it does not repeat, and
 * means that Temporal, a worker or the provider did not do its part.
 */
const STATUSES: Readonly<Record<LeaseErrorCode, number>> = {
  InvalidInput: 400,
  InvalidTtl: 400,
  UnknownDynamicSecret: 404,
  UnknownIntegration: 404,
  LeaseNotFound: 404,
  IntegrationRetired: 409,
  Paused: 409,
  Blocked: 403,
  AlreadyIssued: 409,
  IdempotencyMismatch: 409,
  LeaseEnded: 409,
  LeaseNotActive: 409,
  ExtensionLimit: 409,
  QuotaExceeded: 429,
  Throttled: 429,
  Refused: 502,
  NotFound: 502,
  AbsenceUnproven: 502,
  Unavailable: 502,
  IssueTimeout: 502,
  Timeout: 502,
  SealingFailed: 502,
  Aborted: 502,
  Unauthenticated: 401,
  Forbidden: 403,
};

/** After a live lease may have ended, or a provider has come to itself. */
const RETRY_AFTER_SECONDS = 30;

/** Any error as a refusal; of what was not foreseen nothing is told. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof LeaseError) {
    const { code, message, leaseId, field, state, undelivered } = error;
    const status = STATUSES[code];
    return new ApiError(
      status,
      wireCode(code),
      message,
      {
        ...(leaseId === undefined ? {} : { leaseId }),
        ...(field === undefined ? {} : { field: wireCode(field) }),
        ...(state === undefined ? {} : { state }),
        ...(undelivered === undefined ? {} : { undelivered }),
      },
      status === 429 ? RETRY_AFTER_SECONDS : null,
    );
  }
  // Records before deeds: nothing was done that is not written down.
  if (error instanceof AuditError) return refusal(502, 'unavailable', UNRECORDED);
  return refusal(500, 'internal', 'Something went wrong that was not foreseen; the log of the server names it.');
}

const UNRECORDED =
  'The audit log cannot be written, and nothing is done without a line in it: see the log of the server.';

/** The body of every error answer. */
export function errorBodyOf({ code, message, facts }: ApiError, requestId: string): ErrorBody {
  const { field, leaseId, state, undelivered } = facts;
  return {
    success: false,
    messages: [message],
    code,
    request_id: requestId,
    ...(field === undefined ? {} : { field }),
    ...(leaseId === undefined ? {} : { lease_id: leaseId }),
    ...(state === undefined ? {} : { state }),
    ...(undelivered === undefined ? {} : { undelivered }),
  };
}
