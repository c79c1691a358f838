import { ListAttachedUserPoliciesCommand } from '@aws-sdk/client-iam';
import { awsIam } from '../../activities/integrations/aws-iam/aws-iam';
import { documentedByName } from '../support/aws-documented-rights';
import type { Fault } from '../support/faults';
import type { AwsLease } from '../support/aws-lease';
import { openAwsSetting } from '../support/aws-setting';
import type { AwsSetting } from '../support/aws-setting';
import { createFakeFence } from '../support/fake-fence';
import { failureOf } from '../support/provider-failure';

const READ_ONLY = 'arn:aws:iam::aws:policy/ReadOnlyAccess';

const RIGHTS = awsIam.parameters.parse({
  policy: { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' } },
  policy_arns: [READ_ONLY],
  wait_until_usable: false,
});

/** So often that waiting goes on far beyond the time after which a refusal about a user that is seen is believed. */
const LONG = 5;

// Other tests run at the same time.
jest.setTimeout(30_000);

let setting: AwsSetting;

beforeAll(async () => {
  setting = await openAwsSetting();
});

afterAll(() => setting.close());

beforeEach(() => {
  reset();
  setting.proxy.forget();
});

function reset(): void {
  setting.proxy.clearFaults();
  setting.proxy.setOnCall(undefined);
  setting.proxy.setPathScope(undefined);
}

const count = (operation: string) => setting.proxy.calls.filter((call) => call.operation === operation).length;
const denied = (operation: string, more: Partial<Fault> = {}): Fault => ({
  operation,
  kind: 'error',
  status: 403,
  code: 'AccessDenied',
  ...more,
});

/** One user, with the rights and the one key of its lease, and nothing of it once the lease is over. */
async function expectWhole(lease: AwsLease, credential: Readonly<Record<string, string>>): Promise<void> {
  expect(await setting.keysOf(lease.userName)).toEqual([credential['ACCESS_KEY_ID']]);
  const page = await setting.admin.send(new ListAttachedUserPoliciesCommand({ UserName: lease.userName }));
  expect(page.AttachedPolicies!.map(({ PolicyArn: arn }) => arn)).toEqual([READ_ONLY]);
  await expectRemovable(lease);
}

async function expectRemovable(lease: AwsLease): Promise<void> {
  reset();
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  expect(await setting.findUser(lease.userName)).toBeUndefined();
}

/** A user as an attempt leaves it whose last answer was lost. */
async function abandonHalfMade(lease: AwsLease): Promise<void> {
  setting.proxy.fault({ operation: 'CreateAccessKey', kind: 'lost-answer' });
  await failureOf(() => lease.provision());
  reset();
  setting.proxy.forget();
}

describe('a lease whose new user IAM does not see yet', () => {
  const calls = ['PutUserPolicy', 'AttachUserPolicy', 'CreateAccessKey'];

  test.each(calls)('is made although %s is refused until then', async (operation) => {
    const lease = setting.aws.lease(RIGHTS);
    setting.proxy.fault(denied(operation, { times: LONG }));
    setting.proxy.fault({ operation: 'GetUser', kind: 'not-found', times: LONG + 1 });
    const fence = createFakeFence();
    const { credential } = await lease.provision({ fence });
    expect(count(operation)).toBe(LONG + 1);
    expect(count('CreateUser')).toBe(1);
    expect(fence.passed.length - fence.withdrawn()).toBe(4);
    await expectWhole(lease, credential);
  });

  test.each(calls)('is made although %s and looks at the user are refused until then', async (operation) => {
    const lease = setting.aws.lease(RIGHTS);
    setting.proxy.fault(denied(operation, { times: LONG }));
    setting.proxy.fault(denied('GetUser', { nth: 2, times: LONG }));
    const { credential } = await lease.provision();
    expect(count(operation)).toBe(LONG + 1);
    await expectWhole(lease, credential);
  });

  test('is made although one endpoint sees the user a moment before the other', async () => {
    const lease = setting.aws.lease(RIGHTS);
    setting.proxy.fault(denied('PutUserPolicy'));
    const { credential } = await lease.provision();
    expect(count('PutUserPolicy')).toBe(2);
    await expectWhole(lease, credential);
  });

  test('adopts the user once looks are no longer refused', async () => {
    const lease = setting.aws.lease(RIGHTS);
    await abandonHalfMade(lease);
    setting.proxy.fault({ operation: 'GetUser', kind: 'not-found' });
    setting.proxy.fault(denied('GetUser', { nth: 2, times: 3 }));
    const { credential } = await lease.provision();
    expect(count('CreateUser')).toBe(1);
    await expectWhole(lease, credential);
  });

  test.each([
    ['refused', denied('ListAccessKeys')],
    ['not found', { operation: 'ListAccessKeys', kind: 'not-found' }],
  ] as const)('adopts the user although its keys are %s at first', async (_, fault) => {
    const lease = setting.aws.lease(RIGHTS);
    await abandonHalfMade(lease);
    setting.proxy.fault(fault);
    const { credential } = await lease.provision();
    await expectWhole(lease, credential);
  });

  test('waits no longer than its attempt, to be retried', async () => {
    const lease = setting.aws.lease(RIGHTS);
    setting.proxy.fault(denied('PutUserPolicy', { times: Infinity }));
    setting.proxy.fault({ operation: 'GetUser', kind: 'not-found', times: Infinity });
    expect(await failureOf(() => lease.provision({ withinMs: 500 }))).toMatchObject({
      type: 'Unavailable',
      facts: { operation: 'PutUserPolicy', code: 'AccessDenied' },
    });
    await expectRemovable(lease);
  });
});

describe('a lease whose orchestrator really lacks the right to', () => {
  test.each([
    ['PutUserPolicy', 1],
    ['AttachUserPolicy', 2],
    ['CreateAccessKey', 3],
  ])('%s is refused soon, not as if nothing were made, and leaves what removal clears', async (operation, made) => {
    const lease = setting.aws.lease(RIGHTS);
    setting.proxy.fault(denied(operation, { times: Infinity }));
    const fence = createFakeFence();
    const error = await failureOf(() => lease.provision({ fence }));
    expect(error).toMatchObject({ type: 'Refused', facts: { operation, code: 'AccessDenied' } });
    expect(error.message).toContain('Grant the orchestrator this action');
    // Pauses of 10, 20, 40 and what is left of 100 ms: much less than IAM may take to show a user.
    expect(count(operation)).toBeLessThanOrEqual(6);
    expect(fence.passed.length - fence.withdrawn()).toBe(made);
    await expectRemovable(lease);
  });

  test('CreateUser is refused at once, with nothing made', async () => {
    const lease = setting.aws.lease(RIGHTS);
    setting.proxy.fault(denied('CreateUser', { times: Infinity }));
    const fence = createFakeFence();
    expect(await failureOf(() => lease.provision({ fence }))).toMatchObject({ type: 'Refused' });
    expect(count('CreateUser')).toBe(1);
    expect(fence.passed.length - fence.withdrawn()).toBe(0);
  });
});

describe('rights that are granted by path alone', () => {
  const hint = 'rights by path alone do not cover users that do not exist';

  test('let no lease begin, and the error says why', async () => {
    setting.proxy.setPathScope({ byName: [] });
    const { type, message } = await failureOf(() => setting.aws.lease(RIGHTS).provision());
    expect(type).toBe('Refused');
    expect(message).toContain(hint);
    expect(message).toContain('docs/integrations/aws-iam.md');
    expect(count('CreateUser')).toBe(0);
  });

  test('prove no absence: removal goes on failing, and says why, until looks are answered', async () => {
    const lease = setting.aws.lease(RIGHTS);
    await lease.provision();
    setting.proxy.setPathScope({ byName: [] });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const { type, message, facts } = await failureOf(() => lease.deprovision());
      expect([type, facts.operation]).toEqual(['Refused', 'GetUser']);
      expect(message).toContain(hint);
    }
    expect(count('DeleteUser')).toBe(1);
    setting.proxy.setPathScope({ byName: ['GetUser'] });
    expect(await lease.deprovision()).toEqual({ result: 'absent' });
  });

  test('are enough with those by name that the documentation asks for', async () => {
    const byName = await documentedByName();
    expect(byName).toContain('GetUser');
    expect(byName).not.toContain('PutUserPolicy');
    setting.proxy.setPathScope({ byName });
    const lease = setting.aws.lease(RIGHTS);
    await lease.provision();
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
    expect(await lease.deprovision()).toEqual({ result: 'absent' });
  });
});
