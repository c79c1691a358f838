import { awsSts } from '../../../../activities/integrations/aws-sts/aws-sts';
import { sessionSpan } from '../../../../activities/integrations/aws-sts/span';
import { parseConfig } from '../../../../config/load';

const ROLE = 'arn:aws:iam::123456789012:role/reports';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const mark = { deployment: 'abcdefgh', leaseId: 'abcdefghijklmnopqrstuvwx' };
const name = `leasehold-${mark.deployment}-${mark.leaseId}`;

const plan = (ttlMs: number, issueTimeoutMs = MINUTE, settings: object = {}) =>
  awsSts.plan(
    { ...mark, integration: 'sts', ttlMs, issueTimeoutMs },
    awsSts.connection.parse(settings),
    awsSts.parameters.parse({ role_arn: ROLE }),
  );
const problemsOf = (parameters: unknown): string[] => {
  const parsed = awsSts.parameters.safeParse(parameters);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
};

describe('the plan of a role session', () => {
  test('asks for a session that outlasts its lease by what may go by before the TTL counts, and says how long it lives', () => {
    expect(plan(HOUR)).toEqual({
      entity: name,
      handle: { sessionName: name, roleArn: ROLE, durationSeconds: 3_660, region: null },
      livesOnMs: 3_660_000,
    });
  });

  test('rounds up to whole seconds, so that a session is never shorter than it must be', () => {
    expect(plan(HOUR + 1, 1_500).handle['durationSeconds']).toBe(3_602);
  });

  test('is the same every time and survives being written to history', () => {
    expect(JSON.parse(JSON.stringify(plan(HOUR)))).toEqual(plan(HOUR));
  });

  test('fits into a session name with the longest prefix that the settings accept', () => {
    const { entity } = plan(HOUR, MINUTE, { name_prefix: '=,.@_+-'.repeat(4) + 'ab' });
    expect(entity).toMatch(/^[\w+=,.@-]{64}$/);
  });
});

describe('the TTLs of role sessions', () => {
  test.each([
    ['s of a minute', MINUTE],
    ['s of the shortest kind', 1_000],
    [' of which not every second is whole', 61_500],
  ])('are those that AWS makes sessions for, with an issue_timeout%s', (_, issueTimeoutMs) => {
    const { minTtlMs, maxTtlMs, outlivesMs } = sessionSpan(issueTimeoutMs);
    expect(plan(minTtlMs, issueTimeoutMs).handle['durationSeconds']).toBe(900);
    expect(plan(minTtlMs - 1_000, issueTimeoutMs).handle['durationSeconds']).toBe(899);
    expect(plan(maxTtlMs, issueTimeoutMs).handle['durationSeconds']).toBe(43_200);
    expect(plan(maxTtlMs + 1_000, issueTimeoutMs).handle['durationSeconds']).toBe(43_201);
    for (const ttlMs of [minTtlMs, HOUR, maxTtlMs]) {
      expect(plan(ttlMs, issueTimeoutMs).livesOnMs).toBeLessThanOrEqual(ttlMs + outlivesMs);
    }
  });
});

describe('parameters of a role session', () => {
  const statement = { Effect: 'Allow', Action: 's3:*', Resource: '*' };
  const policyOf = (length: number) => {
    const policy = { Version: '2012-10-17', Id: '', Statement: [statement] };
    return { ...policy, Id: ' '.repeat(length - JSON.stringify(policy).length) };
  };
  const arn = (number: number) => `arn:aws:iam::123456789012:policy/p${number}`;
  const many = <T>(count: number, of: (number: number) => T) =>
    Array.from({ length: count }, (_, number) => of(number));

  test('are a role and nothing else that must be given', () => {
    expect(awsSts.parameters.parse({ role_arn: ROLE })).toEqual({ role_arn: ROLE, policy_arns: [], tags: {} });
    expect(problemsOf({}).join()).toContain('role_arn');
  });

  test('give every credential its three names', () => {
    expect(awsSts.fields(awsSts.parameters.parse({ role_arn: ROLE }))).toEqual([
      'ACCESS_KEY_ID',
      'SECRET_ACCESS_KEY',
      'SESSION_TOKEN',
    ]);
  });

  test('take a session policy of 2,048 characters, every one counted, and none of one more', () => {
    expect(problemsOf({ role_arn: ROLE, policy: policyOf(2_048) })).toEqual([]);
    expect(problemsOf({ role_arn: ROLE, policy: policyOf(2_049) }).join()).toContain('2049');
  });

  test.each([
    [{ policy_arns: many(10, arn) }],
    [{ external_id: 'tenant-7' }],
    [{ external_id: 'env:EXTERNAL_ID' }],
    [{ tags: { team: 'reports', 'cost center': 'a b@c' } }],
  ])('accept %j', (more) => {
    expect(problemsOf({ role_arn: ROLE, ...more })).toEqual([]);
  });

  test.each([
    [{ policy_arns: many(11, arn) }, 'at most 10'],
    [{ policy: { Version: '2012-10-17' } }, 'Statement'],
    [{ role_arn: 'arn:aws:iam::123456789012:user/x' }, 'ARN of a role'],
    [{ tags: { 'aws:x': 'y' } }, 'aws:'],
    [{ tags: { Team: 'a', team: 'b' } }, 'twice'],
    [{ tags: Object.fromEntries(many(51, (number) => [`k${number}`, ''])) }, 'at most 50'],
    [{ groups: ['readers'] }, 'groups'],
  ])('refuse %j', (more, problem) => {
    expect(problemsOf({ role_arn: ROLE, ...more }).join()).toContain(problem);
  });
});

test('the settings are those of AWS, without what belongs to users', () => {
  const text = (connection: string) =>
    `version: 1\nintegrations: {sts: {type: aws_sts, connection: ${connection}}}\nprojects: {}\n`;
  const types = { aws_sts: awsSts };
  const { integrations } = parseConfig(text('{region: eu-central-1}'), types, 'test.yaml');
  expect(integrations['sts']!.connection).toEqual({
    region: 'eu-central-1',
    name_prefix: 'leasehold',
    credentials: {},
  });
  expect(() => parseConfig(text('{path: /x/}'), types, 'test.yaml')).toThrow('path');
});
