import { datadog } from '../../../../activities/integrations/datadog/datadog';
import { readHandle } from '../../../../activities/integrations/datadog/handle';
import type { IntegrationError } from '../../../../activities/integrations/integration';

const mark = { deployment: 'abcdefgh', leaseId: 'abcdefghijklmnopqrstuvwx' };
const name = `leasehold-${mark.deployment}-${mark.leaseId}`;
const service_account = '00000000-0000-4234-8000-000000000000';
const planWith = (settings: object, parameters: object) =>
  datadog.plan(
    { ...mark, integration: 'datadog', ttlMs: 60_000, issueTimeoutMs: 60_000 },
    datadog.connection.parse({ api_key: 'env:API', app_key: 'env:APP', ...settings }),
    datadog.parameters.parse(parameters),
  );

describe('the plan of Datadog keys', () => {
  test('names all that removal needs, and survives being written to history', () => {
    const plan = planWith({}, { service_account, unscoped: true });
    expect(plan).toEqual({ entity: name, handle: { name, apiKey: true, serviceAccount: service_account } });
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    expect(planWith({}, { keys: 'api' }).handle).toEqual({ name, apiKey: true, serviceAccount: null });
    expect(planWith({}, { keys: 'application', service_account, unscoped: true }).handle).toMatchObject({
      apiKey: false,
    });
  });

  test('stays within 64 characters with the longest prefix that the settings accept', () => {
    expect(planWith({ name_prefix: 'a'.repeat(30) }, { keys: 'api' }).entity).toHaveLength(64);
  });

  test.each([
    ['api', { service_account, unscoped: true }],
    ['api', { keys: 'application', service_account, unscoped: true }],
    ['application', { keys: 'api' }],
    ['application', { service_account, unscoped: true }],
  ])('is refused when an integration of %s keys is asked for %j', (keys, parameters) => {
    expect(() => planWith({ keys }, parameters)).toThrow(
      expect.objectContaining({ type: 'InvalidInput' }) as IntegrationError,
    );
  });
});

describe('a handle from history', () => {
  const { handle } = planWith({}, { service_account, unscoped: true });

  test('is read back', () => {
    expect(readHandle(handle, mark, 'Removing')).toEqual(handle);
  });

  test.each([
    ['without a name', { ...handle, name: null }, 'InvalidInput'],
    ['with an empty name', { ...handle, name: '' }, 'InvalidInput'],
    ['that does not say whether there is an API key', { name, serviceAccount: null }, 'InvalidInput'],
    ['of neither kind of key', { ...handle, apiKey: false, serviceAccount: null }, 'InvalidInput'],
    ['whose service account is none', { ...handle, serviceAccount: 7 }, 'InvalidInput'],
    ['of another lease', { ...handle, name: `leasehold-${mark.deployment}-zzzzzzzzzzzzzzzzzzzzzzzz` }, 'Refused'],
    [
      'whose name begins like none of ours',
      { ...handle, name: `a/../b-${mark.deployment}-${mark.leaseId}` },
      'Refused',
    ],
    ['of another deployment', { ...handle, name: `leasehold-zzzzzzzz-${mark.leaseId}` }, 'Refused'],
  ])('%s is refused', (_, written, type) => {
    expect(() => readHandle(written, mark, 'Removing')).toThrow(expect.objectContaining({ type }) as IntegrationError);
  });
});
