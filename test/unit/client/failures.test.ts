import { inspect } from 'node:util';
import { ApplicationFailure, CancelledFailure, NamespaceNotFoundError } from '@temporalio/common';
import { ServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import { Interrupted } from '../../../client/bounds';
import { toLeaseError } from '../../../client/failures';
import { LeaseError } from '../../../client/leases';

function refusedBy(cause: Error): WorkflowUpdateFailedError {
  return new WorkflowUpdateFailedError('Workflow Update failed', cause);
}

function grpcError(code: number): Error {
  const metadata = { authorization: 'Bearer canary' };
  return new ServiceError('failed', {
    cause: Object.assign(new Error('canary'), { code, details: 'canary', metadata }),
  });
}

test("a lease's own refusal keeps its code and its sentence", () => {
  const failure = ApplicationFailure.create({ type: 'QuotaExceeded', message: 'No more users are allowed.' });
  expect(toLeaseError(refusedBy(failure), { leaseId: 'x' })).toMatchObject({
    name: 'LeaseError',
    code: 'QuotaExceeded',
    message: 'No more users are allowed.',
    leaseId: 'x',
  });
});

test.each([
  ['a failure of an unknown type', refusedBy(ApplicationFailure.create({ type: 'toString', message: 'canary' }))],
  ['a failure without a type', refusedBy(ApplicationFailure.create({ message: 'canary' }))],
  ['a cancellation', refusedBy(new CancelledFailure('canary'))],
  ['any error', new Error('canary', { cause: { apiKey: 'canary' } })],
  ['no error at all', 'canary'],
  ...[4, 5, 7, 8, 12, 13, 14, 16].map((code): [string, Error] => [`gRPC status ${code}`, grpcError(code)]),
])('%s is Unavailable, and nothing of it is repeated', (_, error) => {
  const failure = toLeaseError(error);
  expect(failure).toBeInstanceOf(LeaseError);
  expect(failure.code).toBe('Unavailable');
  expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain('canary');
});

test('the sentence tells what to look at', () => {
  expect(toLeaseError(grpcError(14)).message).toContain('TEMPORAL_ADDRESS');
  expect(toLeaseError(grpcError(16)).message).toContain('TEMPORAL_API_KEY');
  expect(toLeaseError(grpcError(5)).message).toContain('TEMPORAL_NAMESPACE');
  expect(toLeaseError(new NamespaceNotFoundError('nowhere')).message).toContain('TEMPORAL_NAMESPACE');
  expect(toLeaseError(new Interrupted('timeout')).message).toContain('did not answer in time');
});
