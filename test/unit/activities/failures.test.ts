import { inspect } from 'node:util';
import { AttemptStopped } from '../../../activities/fence';
import { refuse, toFailure } from '../../../activities/failures';
import type { FailedAttempt } from '../../../activities/failures';
import { IntegrationError } from '../../../activities/integrations/integration';

const canary = 'AKIACANARYCANARY/secret+token==';
const first = (verb: FailedAttempt['verb'], mutations = 0): FailedAttempt => ({
  verb,
  attempt: 1,
  first: true,
  mutations,
});

test('an unforeseen error leaves nothing of itself in the failure', () => {
  class ProviderError extends Error {
    readonly body = canary;
  }
  const failure = toFailure(new ProviderError(canary, { cause: canary }), first('provision'));
  expect(inspect(failure, { depth: 9 })).not.toContain('CANARY');
  expect(failure.message).toContain('ProviderError');
  expect(failure.type).toBe('Unavailable');
});

test('a hostile error name cannot carry a value out', () => {
  class Named extends Error {}
  Object.defineProperty(Named, 'name', { value: `x ${canary}` });
  expect(toFailure(new Named(), first('plan')).message).not.toContain(canary);
});

test('provider codes are reduced to the letters of a token', () => {
  const error = new IntegrationError('Refused', {
    operation: 'CreateUser',
    code: `<x>${'y'.repeat(200)}`,
    httpStatus: 403,
  });
  expect(error.message).toContain('HTTP 403');
  expect(error.message).not.toContain('<');
  expect(error.message.length).toBeLessThan(200);
});

test('what cannot succeed is not tried again, unless it is a removal', () => {
  for (const type of ['InvalidInput', 'Refused', 'QuotaExceeded'] as const) {
    const error = new IntegrationError(type, { operation: 'X' });
    expect(toFailure(error, first('provision')).nonRetryable).toBe(true);
    expect(toFailure(error, first('deprovision')).nonRetryable).toBe(false);
  }
  expect(toFailure(refuse('UnknownIntegration', 'gone'), first('deprovision')).nonRetryable).toBe(false);
});

test('an extension of what several attempts do not find is refused', () => {
  const error = new IntegrationError('NotFound', { operation: 'X' });
  const isFinal = (verb: FailedAttempt['verb'], attempt: number) =>
    toFailure(error, { ...first(verb), attempt, first: attempt === 1 }).nonRetryable;
  expect([1, 2, 3, 4].map((attempt) => isFinal('extend', attempt))).toEqual([false, false, true, true]);
  expect([isFinal('provision', 9), isFinal('deprovision', 9)]).toEqual([false, false]);
});

test('a removal waits longer each time but never more than five minutes', () => {
  const delays = [1, 2, 5, 9, 10, 500].map((attempt) =>
    Number(
      toFailure(new IntegrationError('Unavailable', { operation: 'X' }), {
        verb: 'deprovision',
        attempt,
        first: false,
        mutations: 0,
      }).nextRetryDelay,
    ),
  );
  expect(delays[0]).toBeLessThanOrEqual(1_000);
  expect(delays[2]).toBeGreaterThanOrEqual(8_000);
  expect(Math.max(...delays)).toBeLessThanOrEqual(300_000);
  expect(delays[5]).toBeGreaterThanOrEqual(150_000);
});

test('the provider is asked again when it said so', () => {
  const error = new IntegrationError('Throttled', { operation: 'X', retryAfterMs: 4_000 });
  expect(toFailure(error, first('provision')).nextRetryDelay).toBe(4_000);
});

test('only a first attempt whose changes are surely without effect vouches that nothing was made', () => {
  const vouch = (error: Error, mutations: number, first = true): unknown =>
    (toFailure(error, { verb: 'provision', attempt: 1, first, mutations }).details?.[0] as { nothingMade: boolean })
      .nothingMade;
  const refused = new IntegrationError('Refused', { operation: 'CreateUser' });
  for (const error of [
    refused,
    new AttemptStopped('stopped'),
    refuse('UnknownDynamicSecret', 'gone'),
    new Error('bug'),
  ]) {
    expect(vouch(error, 0)).toBe(true);
    expect(vouch(error, 1)).toBe(false);
    // An operator has reset the count of attempts, or another attempt came before: it may have made something.
    expect(vouch(error, 0, false)).toBe(false);
  }
});
