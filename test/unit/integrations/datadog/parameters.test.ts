import { datadog } from '../../../../activities/integrations/datadog/datadog';

const service_account = '00000000-0000-4234-8000-00000000000A';
const scopes = ['dashboards_read'];
const problemsOf = (parameters: object): string[] => {
  const parsed = datadog.parameters.safeParse(parameters);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
};
const fieldsOf = (parameters: object) => datadog.fields(datadog.parameters.parse(parameters));

describe('parameters of Datadog keys', () => {
  test('ask for a pair unless they say otherwise, and for a wait until it works', () => {
    expect(datadog.parameters.parse({ service_account, scopes })).toEqual({
      keys: 'both',
      service_account: service_account.toLowerCase(),
      scopes,
      wait_until_usable: true,
      usable_timeout: 25_000,
    });
  });

  test.each([
    [{ service_account, unscoped: true }],
    [{ keys: 'application', service_account, scopes, wait_until_usable: false }],
    [{ keys: 'api', usable_timeout: '1m' }],
  ])('accept %j', (parameters) => {
    expect(problemsOf(parameters)).toEqual([]);
  });

  test.each([
    [{}, ['service_account is missing', 'scopes is missing']],
    [{ service_account }, ['scopes is missing: name what the application key may do, or say unscoped: true']],
    [{ service_account, scopes, unscoped: true }, ['unscoped must be left out']],
    [{ service_account, unscoped: false }, ['unscoped must be true, or left out']],
    [{ service_account, scopes: [] }, ['scopes must name at least one scope']],
    [{ service_account, scopes: ['a_b', 'a_b'] }, ['scopes must not name one scope twice']],
    [{ service_account, scopes: ['Dashboards Read'] }, ['scopes.0 must be the name of a scope']],
    [{ service_account: 'leased keys', scopes }, ['service_account must be the id of a service account']],
    [{ keys: 'api', scopes }, ['scopes must be left out with keys: api']],
    [{ keys: 'api', service_account }, ['service_account must be left out with keys: api']],
    [{ keys: 'pair', service_account, scopes }, ['keys must be both, api or application']],
    [{ keys: 'api', usable_timeout: '1h' }, ['usable_timeout must be a span']],
    [{ keys: 'api', scope: 'x' }, ['']],
  ])('refuse %j and name the field', (parameters, problems) => {
    expect(problemsOf(parameters)).toEqual(problems.map((problem): unknown => expect.stringContaining(problem)));
  });

  test('decide the fields of a credential', () => {
    expect(fieldsOf({ service_account, scopes })).toEqual(['API_KEY', 'APP_KEY', 'SITE']);
    expect(fieldsOf({ keys: 'api' })).toEqual(['API_KEY', 'SITE']);
    expect(fieldsOf({ keys: 'application', service_account, unscoped: true })).toEqual(['APP_KEY', 'SITE']);
  });
});
