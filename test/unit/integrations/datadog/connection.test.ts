import { apiUrl } from '../../../../activities/integrations/datadog/connection';
import { datadog } from '../../../../activities/integrations/datadog/datadog';

const keys = { api_key: 'env:API', app_key: 'file:/run/secrets/app' };
const problemsOf = (settings: object): string[] => {
  const parsed = datadog.connection.safeParse({ ...keys, ...settings });
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
};

describe('settings of a Datadog integration', () => {
  test('need no more than the keys', () => {
    expect(datadog.connection.parse(keys)).toEqual({
      ...keys,
      site: 'datadoghq.com',
      keys: 'both',
      name_prefix: 'leasehold',
    });
  });

  test.each([
    [{ site: 'us2.ddog-gov.com' }],
    [{ endpoint: 'http://127.0.0.1:8080' }],
    [{ endpoint: 'https://datadog.example.com/' }],
    [{ endpoint: 'http://datadog:8080', insecure_http: true }],
    [{ keys: 'api' }],
    [{ name_prefix: 'a'.repeat(30) }],
    [{ name_prefix: 'team_1.x-y' }],
  ])('accept %j', (settings) => {
    expect(problemsOf(settings)).toEqual([]);
  });

  test.each([
    [{ api_key: '0123456789abcdef0123456789abcdef' }, 'api_key'],
    [{ app_key: undefined }, 'app_key'],
    [{ site: 'app.datadoghq.com' }, "site must be one of Datadog's sites: datadoghq.com, "],
    [{ site: 'constructor' }, 'site'],
    [{ endpoint: 'https://u:p@example.com' }, 'endpoint'],
    [{ endpoint: 'https://example.com/api' }, 'endpoint'],
    [{ endpoint: 'http://datadog.example.com' }, 'endpoint'],
    [{ endpoint: 'http://api.datadoghq.eu', insecure_http: true }, 'endpoint'],
    [{ endpoint: 'ftp://example.com' }, 'endpoint'],
    [{ keys: 'all' }, 'keys must be both, api or application'],
    [{ name_prefix: '' }, 'name_prefix'],
    [{ name_prefix: '-a' }, 'name_prefix'],
    [{ name_prefix: 'a b' }, 'name_prefix'],
    [{ name_prefix: 'a'.repeat(31) }, 'name_prefix must be at most 30 characters'],
    [{ region: 'eu' }, ''],
  ])('refuse %j and name the field', (settings, problem) => {
    expect(problemsOf(settings)).toEqual([expect.stringContaining(problem)]);
  });

  test('decide where the API is', () => {
    expect(apiUrl(datadog.connection.parse({ ...keys, site: 'datadoghq.eu' }))).toBe('https://api.datadoghq.eu');
    expect(apiUrl(datadog.connection.parse({ ...keys, endpoint: 'http://127.0.0.1:8080/' }))).toBe(
      'http://127.0.0.1:8080',
    );
  });
});
