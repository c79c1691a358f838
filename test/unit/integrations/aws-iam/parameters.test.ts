import { awsIam } from '../../../../activities/integrations/aws-iam/aws-iam';
import { MAX_POLICY } from '../../../../activities/integrations/aws-iam/parameters';
import { DENY_EVERYTHING } from '../../../../activities/integrations/aws-iam/revocation';
import { countPolicyCharacters } from '../../../../activities/integrations/aws/syntax';

const problemsOf = (parameters: unknown): string[] => {
  const parsed = awsIam.parameters.safeParse(parameters);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
};
const allow = { Effect: 'Allow', Action: 's3:*', Resource: '*' };
const policy = { Version: '2012-10-17', Statement: [allow] };
const policyOf = (length: number) => {
  const empty = JSON.stringify({ ...policy, Id: '' });
  return { ...policy, Id: 'x'.repeat(length - empty.length) };
};
const arn = (number: number) => `arn:aws:iam::123456789012:policy/p${number}`;
const many = (count: number) => Array.from({ length: count }, (_, number) => number);

describe('parameters of an AWS IAM dynamic secret', () => {
  test('have defaults for all but the rights', () => {
    expect(awsIam.parameters.parse({ groups: ['readers'] })).toEqual({
      groups: ['readers'],
      policy_arns: [],
      wait_until_usable: true,
      usable_timeout: 25_000,
    });
  });

  test('take a policy as an object or as JSON, to the same effect', () => {
    const asObject = awsIam.parameters.parse({ policy });
    const asText = awsIam.parameters.parse({ policy: JSON.stringify(policy, null, 4) });
    expect(asText).toEqual(asObject);
    expect(asObject.policy).toBe(JSON.stringify(policy));
  });

  test('leave room for the policy that denies everything', () => {
    expect(MAX_POLICY + countPolicyCharacters(DENY_EVERYTHING)).toBe(2_048);
    expect(problemsOf({ policy: policyOf(MAX_POLICY) })).toEqual([]);
    expect(problemsOf({ policy: policyOf(MAX_POLICY + 1) }).join()).toContain(`at most ${MAX_POLICY}`);
  });

  test.each([
    [{ policy_arns: ['arn:aws:iam::aws:policy/ReadOnlyAccess', 'arn:aws-cn:iam::123456789012:policy/a/b'] }],
    [{ policy_arns: many(10).map(arn) }],
    [{ groups: many(10).map((number) => `g${number}`) }],
    [{ policy: { ...policy, Statement: allow } }],
    [{ policy, wait_until_usable: false }],
    [{ policy, usable_timeout: '1m30s' }],
  ])('accept %j', (parameters) => {
    expect(problemsOf(parameters)).toEqual([]);
  });

  test.each([
    [{}, 'policy, policy_arns or groups'],
    [{ policy_arns: [], groups: [] }, 'policy, policy_arns or groups'],
    [{ policy, polices: 1 }, 'polices'],
    [{ policy: '{' }, 'policy'],
    [{ policy: '[]' }, 'policy'],
    [{ policy: 7 }, 'policy'],
    [{ policy: { Version: '2012-10-17' } }, 'Statement'],
    [{ policy: { Version: '2012-10-17', Statement: [] } }, 'Statement'],
    [{ policy: { ...policy, Id: '\u20ac' } }, 'Latin-1'],
    [{ policy_arns: ['ReadOnlyAccess'] }, 'policy_arns.0'],
    [{ policy_arns: ['arn:aws:iam::123456789012:role/x'] }, 'policy_arns.0'],
    [{ policy_arns: many(11).map(arn) }, 'at most 10'],
    [{ policy_arns: [arn(1), arn(1)] }, 'twice'],
    [{ groups: ['a b'] }, 'groups.0'],
    [{ groups: ['a'.repeat(129)] }, 'groups.0'],
    [{ groups: ['Admins', 'admins'] }, 'twice'],
    [{ groups: many(11).map((number) => `g${number}`) }, 'at most 10'],
    [{ policy, wait_until_usable: 'yes' }, 'wait_until_usable'],
    [{ policy, usable_timeout: '0' }, 'usable_timeout'],
    [{ policy, usable_timeout: '11m' }, 'usable_timeout'],
    [{ policy, usable_timeout: '1e3' }, 'usable_timeout'],
    [{ policy, usable_timeout: -5 }, 'usable_timeout'],
  ])('refuse %j and say why', (parameters, said) => {
    expect(problemsOf(parameters).join('\n')).toContain(said);
  });
});
