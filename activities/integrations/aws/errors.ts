import type { ProviderErrorType } from '../../../workflows/contract';
import { IntegrationError } from '../integration';

/** What a call was about, in our own words. */
export interface Subject {
  /** AWS's name of the operation, e.g. `CreateUser`. */
  readonly operation: string;
  readonly entity?: string;
}

const CREDENTIAL_CODES: readonly string[] = [
  'InvalidClientTokenId',
  'UnrecognizedClient',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'MissingAuthenticationToken',
  'ExpiredToken',
  'RequestExpired',
  'InvalidToken',
  'TokenRefreshRequired',
];

const THROTTLING_CODES: readonly string[] = [
  'Throttling',
  'Throttled',
  'RequestThrottled',
  'RequestLimitExceeded',
  'TooManyRequests',
  'SlowDown',
];

/** AWS's codes, without the `Exception` that the SDK appends to those it has a model of. */
const TYPES: ReadonlyMap<string, ProviderErrorType> = new Map<string, ProviderErrorType>([
  ['NoSuchEntity', 'NotFound'],
  ['LimitExceeded', 'QuotaExceeded'],
  ...each(THROTTLING_CODES, 'Throttled'),
  ...each([...CREDENTIAL_CODES, 'AccessDenied', 'UnauthorizedOperation', 'OptInRequired'], 'Refused'),
  ...each(
    [
      'MalformedPolicyDocument',
      'InvalidInput',
      'Validation',
      'ValidationError',
      'PolicyNotAttachable',
      'UnmodifiableEntity',
      'PasswordPolicyViolation',
      'InvalidParameterValue',
      'MissingParameter',
      'PackedPolicyTooLarge',
      'RegionDisabled',
    ],
    'InvalidInput',
  ),
  ...each(
    [
      'EntityAlreadyExists',
      'DeleteConflict',
      'ConcurrentModification',
      'EntityTemporarilyUnmodifiable',
      'IDPCommunicationError',
      // Also where the provider of the token could not be asked for its keys.
      'InvalidIdentityToken',
      'RequestTimeout',
      'ServiceFailure',
      'ServiceUnavailable',
      'InternalFailure',
      'InternalError',
    ],
    'Unavailable',
  ),
]);

/** What the SDK puts in place of a code when the answer held none. */
const NO_CODE: readonly string[] = ['Error', 'TypeError', 'SyntaxError', 'RangeError', 'Unknown', 'NotFound'];

const MAX_RETRY_AFTER_MS = 5 * 60_000;

/**
 * Turns whatever the SDK threw into an error of ours. Only facts of known shape are taken over: never a message, stack,
 * body or cause, since AWS echoes session tokens in some of them.
 */
export function toIntegrationError(error: unknown, subject: Subject): IntegrationError {
  if (error instanceof IntegrationError) return error;
  const code = readCode(error);
  const status = readNumber(read(error, '$metadata'), 'httpStatusCode');
  const type = classify(code, status);
  const requestId = readRequestId(error);
  const retryAfterMs = type === 'Throttled' ? readRetryAfter(error) : undefined;
  const hint = explain(type, code);
  return new IntegrationError(type, {
    ...subject,
    ...(code === undefined ? {} : { code }),
    ...(status === undefined ? {} : { httpStatus: status }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** AWS said that the thing is not there. Not proof that it never will be: IAM is eventually consistent. */
export function isNotFound(error: unknown): error is IntegrationError {
  return error instanceof IntegrationError && error.type === 'NotFound';
}

/** AWS refused the call for want of rights, or because of a user that it does not see: rights by path do not cover those. */
export function isDenied(error: unknown): error is IntegrationError {
  return hasCode(error, 'AccessDenied');
}

export function hasCode(error: unknown, code: string): error is IntegrationError {
  return error instanceof IntegrationError && error.facts.code !== undefined && stem(error.facts.code) === code;
}

/** The orchestrator's own credentials were not accepted: newer ones may be at hand. */
export function areCredentialsRefused(error: IntegrationError): boolean {
  return error.facts.code !== undefined && CREDENTIAL_CODES.includes(stem(error.facts.code));
}

/** AWS itself answered that it did not do what was asked. */
export function isDefiniteRefusal({ type, facts }: IntegrationError): boolean {
  if (facts.code === undefined || facts.httpStatus === undefined || facts.httpStatus >= 500) return false;
  return (
    type === 'Refused' ||
    type === 'InvalidInput' ||
    type === 'QuotaExceeded' ||
    type === 'Throttled' ||
    type === 'NotFound'
  );
}

function classify(code: string | undefined, status: number | undefined): ProviderErrorType {
  const known = code === undefined ? undefined : TYPES.get(stem(code));
  if (known !== undefined) return known;
  if (status === 429) return 'Throttled';
  // Without a code the answer did not come from AWS: a proxy's 403 or a wrong endpoint's 404 says nothing about the user.
  if (code === undefined || status === undefined || status >= 500) return 'Unavailable';
  if (status === 401 || status === 403) return 'Refused';
  return status === 400 ? 'InvalidInput' : 'Unavailable';
}

function explain(type: ProviderErrorType, code: string | undefined): string | undefined {
  if (code !== undefined && CREDENTIAL_CODES.includes(stem(code))) {
    return "Check the orchestrator's credentials and the clock of the worker.";
  }
  switch (type) {
    case 'Refused':
      return 'Grant the orchestrator this action, and look for a deny in its boundary or in the organization.';
    case 'QuotaExceeded':
      return 'Free room in the AWS account, or ask AWS to raise the quota.';
    case 'InvalidInput':
      return "Check the dynamic secret's parameters and the integration's settings.";
    case 'Unavailable':
      return code === undefined ? 'Check the network, the region and the endpoint if it lasts.' : undefined;
    case 'Throttled':
    case 'NotFound':
    case 'AbsenceUnproven':
      return undefined;
  }
}

/** Letters and dots only, as all of AWS's codes are: a key or a token pasted in its place would not pass. */
function readCode(error: unknown): string | undefined {
  const name = read(error, 'name');
  if (typeof name !== 'string' || NO_CODE.includes(name)) return undefined;
  return /^[A-Z][A-Za-z.]{2,63}$/.test(name) ? name : undefined;
}

function readRequestId(error: unknown): string | undefined {
  const id = read(read(error, '$metadata'), 'requestId');
  if (typeof id !== 'string') return undefined;
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) ? id : undefined;
}

function readRetryAfter(error: unknown): number | undefined {
  const header = read(read(read(error, '$response'), 'headers'), 'retry-after');
  if (typeof header !== 'string' || !/^\d{1,6}$/.test(header)) return undefined;
  return Math.min(Number(header) * 1000, MAX_RETRY_AFTER_MS);
}

function readNumber(holder: unknown, key: string): number | undefined {
  const value = read(holder, key);
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}

function read(holder: unknown, key: string): unknown {
  if (typeof holder !== 'object' || holder === null) return undefined;
  return (holder as Record<string, unknown>)[key];
}

function stem(code: string): string {
  return code.replace(/Exception$/, '');
}

function each(codes: readonly string[], type: ProviderErrorType): [string, ProviderErrorType][] {
  return codes.map((code) => [code, type]);
}
