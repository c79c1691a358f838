import { inspect } from 'node:util';
import { toIntegrationError } from '../../../../activities/integrations/aws/errors';
import { IntegrationError } from '../../../../activities/integrations/integration';

const CANARY = 'AKIACANARY+wJalrXUtnFEMI/K7MDENG';
const REQUEST_ID = '4c0b2c1a-6a0e-4f2b-9d7e-0a1b2c3d4e5f';
const subject = { operation: 'CreateUser', entity: 'leasehold-x-y' };

function sdkError(name: string, status?: number, more: object = {}): Error {
  const error = new Error(`message with ${CANARY}`, { cause: new Error(CANARY) });
  return Object.assign(
    error,
    { name, $metadata: { httpStatusCode: status, requestId: CANARY }, Message: CANARY },
    more,
  );
}

describe('an AWS error in our words', () => {
  test.each([
    ['NoSuchEntityException', 404, 'NotFound'],
    ['NoSuchEntity', 404, 'NotFound'],
    ['LimitExceededException', 409, 'QuotaExceeded'],
    ['EntityAlreadyExistsException', 409, 'Unavailable'],
    ['DeleteConflictException', 409, 'Unavailable'],
    ['ConcurrentModificationException', 409, 'Unavailable'],
    ['EntityTemporarilyUnmodifiableException', 409, 'Unavailable'],
    ['MalformedPolicyDocumentException', 400, 'InvalidInput'],
    ['InvalidInputException', 400, 'InvalidInput'],
    ['ValidationError', 400, 'InvalidInput'],
    ['PolicyNotAttachableException', 400, 'InvalidInput'],
    ['UnmodifiableEntityException', 400, 'InvalidInput'],
    ['AccessDenied', 403, 'Refused'],
    ['AccessDeniedException', 403, 'Refused'],
    ['InvalidClientTokenId', 403, 'Refused'],
    ['SignatureDoesNotMatch', 403, 'Refused'],
    ['ExpiredToken', 403, 'Refused'],
    ['ExpiredTokenException', 400, 'Refused'],
    ['UnrecognizedClientException', 403, 'Refused'],
    ['Throttling', 400, 'Throttled'],
    ['ThrottlingException', 400, 'Throttled'],
    ['RequestLimitExceeded', 503, 'Throttled'],
    ['ServiceFailureException', 500, 'Unavailable'],
    ['IDPCommunicationError', 400, 'Unavailable'],
    ['InvalidIdentityToken', 400, 'Unavailable'],
    ['RequestTimeout', 400, 'Unavailable'],
    ['SomethingNew', 400, 'InvalidInput'],
    ['SomethingNew', 403, 'Refused'],
    ['SomethingNew', 409, 'Unavailable'],
    ['SomethingNew', 503, 'Unavailable'],
    ['TimeoutError', undefined, 'Unavailable'],
    ['Error', undefined, 'Unavailable'],
    ['Error', 429, 'Throttled'],
  ])('%s (%s) is %s', (name, status, type) => {
    expect(toIntegrationError(sdkError(name, status), subject).type).toBe(type);
  });

  test.each([
    ['NotFound', 404],
    ['Unknown', 403],
    ['Error', 404],
    ['SyntaxError', 200],
  ])('without a code of IAM (%s, %i), as a proxy or a wrong endpoint gives it, is no answer at all', (name, status) => {
    const error = toIntegrationError(sdkError(name, status), subject);
    expect(error.type).toBe('Unavailable');
    expect(error.facts.code).toBeUndefined();
  });

  test.each([
    ['in message, cause and fields', sdkError('AccessDenied', 403)],
    ['as its code', sdkError(CANARY, 403)],
    ['as a code of letters and digits', sdkError(CANARY.replace(/\W/g, ''), 403)],
    ['as its retry time', sdkError('Throttling', 400, { $response: { headers: { 'retry-after': CANARY } } })],
    ['as its status', sdkError('AccessDenied', CANARY as unknown as number)],
    ['as the thing thrown', CANARY],
    ['in a thrown object', { name: 'AccessDenied', message: CANARY, $metadata: CANARY }],
  ])('keeps nothing of a credential that comes %s', (_, thrown) => {
    const error = toIntegrationError(thrown, subject);
    const all = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error) + error.message + error.stack!;
    expect(all).not.toContain('CANARY');
    expect(all).not.toContain('wJalr');
    expect(error.cause).toBeUndefined();
  });

  test('names operation, entity, code, status and request, and the way out', () => {
    const thrown = sdkError('InvalidClientTokenId', 403, { $metadata: { httpStatusCode: 403, requestId: REQUEST_ID } });
    expect(toIntegrationError(thrown, subject).message).toBe(
      'CreateUser for leasehold-x-y was not permitted ' +
        `(code InvalidClientTokenId, HTTP 403, request ${REQUEST_ID}). ` +
        "Check the orchestrator's credentials and the clock of the worker.",
    );
  });

  test.each([
    ['3', 3_000],
    ['99999', 300_000],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
  ])('passes on when to come back (%s)', (header, expected) => {
    const thrown = sdkError('Throttling', 400, { $response: { headers: { 'retry-after': header } } });
    expect(toIntegrationError(thrown, subject).facts.retryAfterMs).toBe(expected);
  });

  test('stays what it is when it is one already', () => {
    const error = new IntegrationError('Refused', { operation: 'x' });
    expect(toIntegrationError(error, subject)).toBe(error);
  });
});
