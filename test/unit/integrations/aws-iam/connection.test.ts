import { awsIam } from '../../../../activities/integrations/aws-iam/aws-iam';

const problemsOf = (settings: unknown): string[] => {
  const parsed = awsIam.connection.safeParse(settings);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
};
const role_arn = 'arn:aws-us-gov:iam::123456789012:role/x/leasehold';

describe('settings of an AWS IAM integration', () => {
  test('may all be left out', () => {
    expect(awsIam.connection.parse({})).toEqual({ name_prefix: 'leasehold', path: '/leasehold/', credentials: {} });
  });

  test.each([
    [{ region: 'us-gov-west-1' }],
    [{ region: 'eusc-de-east-1' }],
    [{ endpoint: 'http://127.0.0.1:5000', sts_endpoint: 'https://sts.example.com/' }],
    [{ endpoint: 'http://[::1]:5000' }],
    [{ endpoint: 'http://localstack:4566', sts_endpoint: 'http://10.0.0.5', insecure_http: true }],
    [{ endpoint: 'http://aws:5000', insecure_http: true }],
    [{ name_prefix: 'a'.repeat(30) }],
    [{ path: '/' }],
    [{ path: '/a/b/' }],
    [{ permissions_boundary: 'arn:aws-cn:iam::123456789012:policy/lease-boundary' }],
    [{ credentials: { profile: 'leases' } }],
    [{ credentials: { access_key_id: 'env:A', secret_access_key: 'file:/run/secrets/key', session_token: 'env:T' } }],
    [{ credentials: { web_identity: { role_arn, token_file: '/var/run/token' } } }],
    [{ credentials: { assume_role: { role_arn, external_id: 'ext/1', session_name: 'lh', duration_seconds: 900 } } }],
    [{ credentials: { profile: 'p', assume_role: { role_arn, external_id: 'env:EXTERNAL_ID' } } }],
  ])('accept %j', (settings) => {
    expect(problemsOf(settings)).toEqual([]);
  });

  test.each([
    [{ regoin: 'x' }, 'regoin'],
    [{ region: 'Frankfurt' }, 'region'],
    [{ endpoint: 'ftp://x' }, 'endpoint'],
    [{ endpoint: 'localhost:5000' }, 'endpoint'],
    [{ endpoint: 'https://user:pass@example.com' }, 'endpoint'],
    [{ endpoint: 'http://iam.example.com' }, 'endpoint'],
    [{ endpoint: 'http://localstack:4566' }, 'endpoint must be an https:// URL, or http:// to localhost'],
    [{ endpoint: 'http://localstack:4566', insecure_http: false }, 'endpoint'],
    [{ endpoint: 'http://localhost.example.com' }, 'endpoint'],
    [{ endpoint: 'http://iam.amazonaws.com', insecure_http: true }, 'endpoint'],
    [{ sts_endpoint: 'http://STS.cn-north-1.amazonaws.com.cn./', insecure_http: true }, 'sts_endpoint'],
    [{ sts_endpoint: 'http://sts.example.com' }, 'sts_endpoint'],
    [{ name_prefix: '' }, 'name_prefix'],
    [{ name_prefix: 'a'.repeat(31) }, 'name_prefix'],
    [{ name_prefix: 'lease hold' }, 'name_prefix'],
    [{ name_prefix: 'pächter' }, 'name_prefix'],
    [{ path: 'leasehold/' }, 'path'],
    [{ path: '/leasehold' }, 'path'],
    [{ path: '/lease hold/' }, 'path'],
    [{ path: `/${'a'.repeat(511)}/` }, 'path'],
    [{ permissions_boundary: 'lease-boundary' }, 'permissions_boundary'],
    [
      { credentials: { access_key_id: 'AKIAIOSFODNN7EXAMPLE', secret_access_key: 'env:B' } },
      'credentials.access_key_id',
    ],
    [{ credentials: { access_key_id: 'env:A' } }, 'credentials.secret_access_key'],
    [{ credentials: { session_token: 'env:A', secret_access_key: 'env:B' } }, 'credentials.access_key_id'],
    [{ credentials: { access_key_id: 'env:A', secret_access_key: 'file:relative' } }, 'credentials.secret_access_key'],
    [{ credentials: { profile: 'p', access_key_id: 'env:A', secret_access_key: 'env:B' } }, 'credentials'],
    [{ credentials: { profile: 'p', web_identity: { role_arn, token_file: '/t' } } }, 'credentials'],
    [{ credentials: { web_identity: { role_arn, token_file: 't' } } }, 'credentials.web_identity.token_file'],
    [{ credentials: { assume_role: { role_arn: 'leasehold' } } }, 'credentials.assume_role.role_arn'],
    [{ credentials: { assume_role: { role_arn, external_id: 'file:x' } } }, 'credentials.assume_role.external_id'],
    [{ credentials: { assume_role: { role_arn, duration_seconds: 899 } } }, 'credentials.assume_role.duration_seconds'],
    [
      { credentials: { assume_role: { role_arn, duration_seconds: 1000.5 } } },
      'credentials.assume_role.duration_seconds',
    ],
  ])('refuse %j and name the field', (settings, field) => {
    expect(problemsOf(settings).join('\n')).toContain(field);
  });

  test('never repeat a key that was written where a reference belongs', () => {
    const key = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
    const problems = problemsOf({ credentials: { access_key_id: 'env:A', secret_access_key: key } });
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain(key);
  });

  test('tell all problems at once', () => {
    expect(problemsOf({ region: '', path: '', name_prefix: '' }).length).toBeGreaterThanOrEqual(3);
  });
});
