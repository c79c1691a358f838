import { awsIam } from '../../../../activities/integrations/aws-iam/aws-iam';
import { readHandle } from '../../../../activities/integrations/aws-iam/handle';
import type { IntegrationError } from '../../../../activities/integrations/integration';

const mark = { deployment: 'abcdefgh', leaseId: 'abcdefghijklmnopqrstuvwx' };
const parameters = awsIam.parameters.parse({ groups: ['readers'] });
const planWith = (settings: object) =>
  awsIam.plan(
    { ...mark, integration: 'aws', ttlMs: 3_600_000, issueTimeoutMs: 60_000 },
    awsIam.connection.parse(settings),
    parameters,
  );

describe('the plan of an IAM user', () => {
  test('is made from names alone, the same every time, and survives being written to history', () => {
    const plan = planWith({});
    expect(plan).toEqual({
      entity: `leasehold-${mark.deployment}-${mark.leaseId}`,
      handle: { userName: `leasehold-${mark.deployment}-${mark.leaseId}`, path: '/leasehold/', region: null },
    });
    expect(JSON.parse(JSON.stringify(planWith({})))).toEqual(plan);
  });

  test('fits into a user name with the longest prefix that the settings accept', () => {
    const { entity } = planWith({ name_prefix: '=,.@_+-'.repeat(4) + 'ab' });
    expect(entity).toHaveLength(64);
    expect(entity).toMatch(/^[A-Za-z0-9+=,.@_-]{1,64}$/);
  });

  test('keeps region and path for removal, and no credential', () => {
    const { handle } = planWith({ region: 'cn-north-1', path: '/x/', credentials: { profile: 'leases' } });
    expect(handle).toMatchObject({ region: 'cn-north-1', path: '/x/' });
    expect(JSON.stringify(handle)).not.toContain('leases');
  });
});

describe('a handle from history', () => {
  const { handle } = planWith({});

  test('is read back', () => {
    expect(readHandle(handle, mark, 'DeleteUser')).toEqual(handle);
  });

  test.each([
    ['without a name', { ...handle, userName: null }, 'InvalidInput'],
    ['without a path', { userName: 'x' }, 'InvalidInput'],
    ['of another lease', { ...handle, userName: `leasehold-${mark.deployment}-zzzzzzzzzzzzzzzzzzzzzzzz` }, 'Refused'],
    [
      'whose name begins like none of ours',
      { ...handle, userName: `a/../b-${mark.deployment}-${mark.leaseId}` },
      'Refused',
    ],
    ['of another deployment', { ...handle, userName: `leasehold-zzzzzzzz-${mark.leaseId}` }, 'Refused'],
  ])('%s is refused', (_, written, type) => {
    expect(() => readHandle(written, mark, 'DeleteUser')).toThrow(
      expect.objectContaining({ type }) as IntegrationError,
    );
  });
});
