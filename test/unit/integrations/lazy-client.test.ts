import { IntegrationError } from '../../../activities/integrations/integration';
import type { Integration } from '../../../activities/integrations/integration';
import { connectLazily, loadClient } from '../../../activities/integrations/lazy-client';
import { integrationTypes } from '../../../activities/integrations/registry';

const MISSING = Object.assign(new Error("Cannot find module 'x'"), { code: 'MODULE_NOT_FOUND' });

jest.mock('@aws-sdk/client-iam', () => {
  throw MISSING;
});
jest.mock('@aws-sdk/client-sts', () => {
  throw MISSING;
});
jest.mock('pg', () => {
  throw MISSING;
});

const signal = AbortSignal.timeout(10_000);

test.each([
  ['aws_iam', 'AWS', { region: 'us-east-1' }],
  ['aws_sts', 'AWS', { region: 'us-east-1' }],
  ['postgresql', 'PostgreSQL', { host: 'db', database: 'app', user: 'lessor', password: 'env:P' }],
] as const)(
  'where the client for %s is not installed, configurations are read and one sentence says what to do',
  async (name, owner, given) => {
    const type = integrationTypes[name]!;
    const integration = type.connect(type.connection.parse(given), {
      resolveReference: () => 'x',
      throttle: () => Promise.resolve(),
    });
    const refusal = {
      name: 'IntegrationError',
      type: 'Refused',
      message: expect.stringMatching(
        `${owner}'s client is not installed on this worker.* run npm .* restart the worker`,
      ),
    };
    await expect(type.load!()).rejects.toMatchObject(refusal);
    await expect(integration.check(signal)).rejects.toMatchObject(refusal);
    integration.close();
  },
);

function fake(closed: string[]): Integration {
  const unasked = (): Promise<never> => Promise.reject(new Error('unasked'));
  return {
    provision: unasked,
    extend: unasked,
    deprovision: () => Promise.resolve({ result: 'removed' }),
    list: unasked,
    readMarks: unasked,
    quota: unasked,
    check: unasked,
    close: () => void closed.push('closed'),
  };
}

test('a connection that could not be opened is opened by the next call, once, and is closed', async () => {
  const closed: string[] = [];
  let opens = 0;
  const integration = connectLazily(() => {
    opens += 1;
    return opens === 1
      ? Promise.reject(new IntegrationError('Refused', { operation: 'Connecting' }))
      : Promise.resolve(fake(closed));
  });
  const remove = (): Promise<unknown> => integration.deprovision({}, undefined as never);
  expect(opens).toBe(0);
  await expect(remove()).rejects.toMatchObject({ type: 'Refused' });
  await expect(Promise.all([remove(), remove()])).resolves.toEqual([{ result: 'removed' }, { result: 'removed' }]);
  expect(opens).toBe(2);
  integration.close();
  await Promise.resolve();
  expect(closed).toEqual(['closed']);
});

test('what was never used is neither opened nor closed', () => {
  let opens = 0;
  const integration = connectLazily(() => {
    opens += 1;
    return Promise.resolve(fake([]));
  });
  integration.close();
  expect(opens).toBe(0);
});

test('whatever else kept a client from loading is not repeated', async () => {
  const failure = loadClient('postgresql', () => Promise.reject(new Error('at /srv/secret')));
  await expect(failure).rejects.toMatchObject({ message: expect.not.stringContaining('/srv') });
});
