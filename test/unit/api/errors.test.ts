import { ApiError, errorBodyOf, refusal, toApiError } from '../../../api/errors';
import { AuditError } from '../../../audit/writer';
import { LeaseError } from '../../../client/leases';
import type { LeaseErrorCode } from '../../../client/leases';
import { errorBody } from '../../../client/wire';

const CODES: Readonly<Record<LeaseErrorCode, true>> = {
  InvalidInput: true,
  InvalidTtl: true,
  UnknownDynamicSecret: true,
  UnknownIntegration: true,
  LeaseNotFound: true,
  IntegrationRetired: true,
  Paused: true,
  Blocked: true,
  AlreadyIssued: true,
  IdempotencyMismatch: true,
  LeaseEnded: true,
  LeaseNotActive: true,
  ExtensionLimit: true,
  QuotaExceeded: true,
  Throttled: true,
  Refused: true,
  NotFound: true,
  AbsenceUnproven: true,
  Unavailable: true,
  IssueTimeout: true,
  Timeout: true,
  SealingFailed: true,
  Aborted: true,
  Unauthenticated: true,
  Forbidden: true,
};
const codes = Object.keys(CODES) as LeaseErrorCode[];

test.each(codes)('%s has a status on which no client asks again by itself', (code) => {
  const { status, retryAfter } = toApiError(new LeaseError(code, 'It failed.'));
  expect([400, 401, 403, 404, 409, 429, 502]).toContain(status);
  expect(retryAfter === null).toBe(status !== 429);
});

test('an error says in JSON what it is about, in snake case, and is as described', () => {
  const error = new LeaseError('IssueTimeout', 'Too late.', {
    leaseId: 'a'.repeat(24),
    field: 'idempotencyKey',
    state: 'active',
    undelivered: 'revoke accepted',
  });
  const body = errorBodyOf(toApiError(error), 'request-1');
  expect(body).toEqual({
    success: false,
    messages: ['Too late.'],
    code: 'issue_timeout',
    request_id: 'request-1',
    lease_id: 'a'.repeat(24),
    field: 'idempotency_key',
    state: 'active',
    undelivered: 'revoke accepted',
  });
  expect(errorBody.parse(body)).toEqual(body);
});

test('a refusal of the API passes as it is', () => {
  const error = refusal(403, 'forbidden', 'No.');
  expect(toApiError(error)).toBe(error);
});

test('of what was not foreseen, and of the audit log, nothing is told', () => {
  for (const error of [new Error('canary'), new AuditError('canary'), 'canary', null, { message: 'canary' }]) {
    const told = toApiError(error);
    expect(told).toBeInstanceOf(ApiError);
    expect(JSON.stringify(errorBodyOf(told, 'x'))).not.toContain('canary');
    expect(told.status).toBe(error instanceof AuditError ? 502 : 500);
  }
});
