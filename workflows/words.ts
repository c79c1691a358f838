// The part of the contract that needs nothing of Temporal, so that programs without its packages can use it. The same holds:
// add, do not rename.

/** What a lease id looks like: 120 bits in lower-case base 32, short enough to stand in names at every provider. */
export const LEASE_ID_PATTERN = /^[a-z2-7]{24}$/;

/**
 * What a secret, and a field of a credential, is called. They become names of variables and stand unquoted in files that shells read: any
 * other name could be a command there.
 */
export const NAME_PATTERN = /^[A-Z][A-Z0-9_]*$/;

/** How a lease ended. `abandoned`: removal was given up by an operator; the entity may still exist. */
export type LeaseEnd = 'expired' | 'revoked' | 'failed' | 'abandoned';

export type LeaseState = 'provisioning' | 'active' | 'deprovisioning' | 'stuck' | LeaseEnd;

export const LEASE_ENDS: readonly LeaseEnd[] = ['expired', 'revoked', 'failed', 'abandoned'];

/** What a provider or an integration may say went wrong. Closed: every provider error is mapped to one of these. */
export type ProviderErrorType =
  'InvalidInput' | 'Refused' | 'QuotaExceeded' | 'Throttled' | 'Unavailable' | 'NotFound' | 'AbsenceUnproven';

/** Why a lease was not planned, issued, handed over or changed. The `type` of every ApplicationFailure Leasehold throws. */
export type LeaseFailureType =
  | ProviderErrorType
  | 'UnknownDynamicSecret'
  | 'UnknownIntegration'
  | 'IntegrationRetired'
  | 'Paused'
  | 'Blocked'
  | 'InvalidTtl'
  | 'AlreadyIssued'
  | 'IdempotencyMismatch'
  | 'LeaseEnded'
  | 'LeaseNotActive'
  | 'ExtensionLimit'
  | 'IssueTimeout';

const FAILURE_TYPES: Readonly<Record<LeaseFailureType, true>> = {
  InvalidInput: true,
  Refused: true,
  QuotaExceeded: true,
  Throttled: true,
  Unavailable: true,
  NotFound: true,
  AbsenceUnproven: true,
  UnknownDynamicSecret: true,
  UnknownIntegration: true,
  IntegrationRetired: true,
  Paused: true,
  Blocked: true,
  InvalidTtl: true,
  AlreadyIssued: true,
  IdempotencyMismatch: true,
  LeaseEnded: true,
  LeaseNotActive: true,
  ExtensionLimit: true,
  IssueTimeout: true,
};

export const LEASE_FAILURE_TYPES = Object.keys(FAILURE_TYPES) as readonly LeaseFailureType[];

/** Whether a failure's type is one of ours. */
export function isLeaseFailureType(type: string | null | undefined): type is LeaseFailureType {
  return typeof type === 'string' && Object.hasOwn(FAILURE_TYPES, type);
}

/** Whether a provider said for certain that it did not do what was asked, and that asking again will not help. */
export function isHopeless(type: LeaseFailureType): boolean {
  return type === 'Refused' || type === 'InvalidInput' || type === 'QuotaExceeded';
}

/** A failure as it may be stored and shown: a typed code and a sentence without a secret. */
export interface LeaseFailure {
  readonly type: LeaseFailureType;
  readonly message: string;
}

/** The public key to which the credential is sealed (X25519 or P-256, RFC 7517). */
export interface RecipientJwk {
  readonly kty: 'OKP' | 'EC';
  readonly crv: 'X25519' | 'P-256';
  readonly x: string;
  readonly y?: string;
}
