import { integrationTypes } from '../../../../activities/integrations/registry';

const CLIENT = '@datadog/datadog-api-client/dist/packages/datadog-api-client-common/index.js';
const deps = { resolveReference: () => 'x', throttle: () => Promise.resolve() };

let loads = 0;
let failure: Error | undefined;

jest.mock('@datadog/datadog-api-client/dist/packages/datadog-api-client-common/index.js', () => {
  loads += 1;
  throw failure ?? new Error('loaded');
});

function connect() {
  const type = integrationTypes['datadog']!;
  // Nobody listens there.
  const settings = { api_key: 'env:A', app_key: 'env:B', endpoint: 'http://127.0.0.1:9' };
  return type.connect(type.connection.parse(settings), deps);
}

test("Datadog's client is loaded by neither the registry nor a connection, but by the first call", async () => {
  const integration = connect();
  expect(loads).toBe(0);
  await expect(integration.quota(AbortSignal.timeout(10_000))).rejects.toMatchObject({ type: 'Refused' });
  expect(loads).toBe(1);
  integration.close();
});

test('where it is not installed one sentence says what to do, and it is found once it is', async () => {
  failure = Object.assign(new Error(`Cannot find module '${CLIENT}'`), { code: 'MODULE_NOT_FOUND' });
  const integration = connect();
  for (const attempt of [1, 2]) {
    const before = loads;
    await expect(integration.quota(AbortSignal.timeout(10_000))).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringMatching(/Datadog's client is not installed on this worker.*run npm ci/),
    });
    expect([attempt, loads]).toEqual([attempt, before + 1]);
  }
  integration.close();
});
