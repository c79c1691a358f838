import { ServiceError } from '@temporalio/client';
import { Interrupted, isTooLate } from '../../../client/waiting';

function grpcError(code: number): Error {
  return new ServiceError('failed', { cause: Object.assign(new Error(), { code, details: '', metadata: {} }) });
}

test.each([
  ['our own clock', new Interrupted('timeout')],
  ["the server's, as a deadline", grpcError(4)],
  ["the server's, as a cancellation", grpcError(1)],
])('a call whose time was over by %s was too late', (_, error) => {
  expect(isTooLate(error)).toBe(true);
});

test.each([
  ['a call that the caller aborted', new Interrupted('aborted')],
  ['a server that is not there', grpcError(14)],
  ['any other error', new Error()],
])('%s was not too late', (_, error) => {
  expect(isTooLate(error)).toBe(false);
});
