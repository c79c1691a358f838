import type { Context } from '@temporalio/activity';
import { attemptStart } from '../../../activities/attempt-start';
import { toFailure } from '../../../activities/failures';

test('a removal that has looked many times, and to which Temporal once does not answer, looks again after seconds', async () => {
  const attempt = 40;
  const context = {
    info: { activityId: '1', attempt, workflowExecution: { workflowId: 'a'.repeat(24), runId: 'run' } },
    client: { withDeadline: () => Promise.reject(new Error('deadline exceeded')) },
  } as unknown as Context;
  const error = await attemptStart(context).catch((failure: unknown) => failure);
  const failure = toFailure(error, { verb: 'deprovision', attempt, first: false, mutations: 0 });
  expect(failure).toMatchObject({ type: 'Unavailable', nextRetryDelay: 5_000 });
});
