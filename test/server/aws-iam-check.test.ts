import { randomBytes } from 'node:crypto';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  ListUsersCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import type { Check } from '../../activities/integrations/integration';
import { documentedActions, documentedByName } from '../support/aws-documented-rights';
import type { AwsFixture } from '../support/aws-lease';
import { openAwsSetting } from '../support/aws-setting';
import type { AwsSetting } from '../support/aws-setting';

/** The emulator is shared with other tests: all names here have this in them. */
const MARK = randomBytes(6).toString('hex');
const NAME_PREFIX = `lh-${MARK}`;
const BOUNDARY = 'arn:aws:iam::123456789012:policy/lease-boundary';

// Other tests run at the same time.
jest.setTimeout(30_000);

let setting: AwsSetting;

beforeAll(async () => {
  setting = await openAwsSetting();
});

afterAll(() => setting.close());

const undo: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  setting.proxy.forget();
});

afterEach(async () => {
  setting.proxy.clearFaults();
  setting.proxy.setOnCall(undefined);
  setting.proxy.setAccount(undefined);
  setting.proxy.setPathScope(undefined);
  for (const act of undo.splice(0).reverse()) await act();
});

const runCheck = (aws: AwsFixture): Promise<Check> => aws.integration.check(new AbortController().signal);
const operations = () => setting.proxy.calls.map(({ operation }) => operation);

/** The integration with the credentials of an orchestrator that may do everything with IAM but this. */
async function openWithout(actions: readonly string[], settings: object = {}): Promise<AwsFixture> {
  const UserName = `orchestrator-${MARK}-${randomBytes(4).toString('hex')}`;
  const { admin } = setting;
  await admin.send(new CreateUserCommand({ UserName }));
  undo.push(() => admin.send(new DeleteUserCommand({ UserName })));
  const statements = [
    { Effect: 'Allow', Action: ['iam:*', 'sts:*'], Resource: '*' },
    ...(actions.length === 0 ? [] : [{ Effect: 'Deny', Action: actions, Resource: '*' }]),
  ];
  const policy = { UserName, PolicyName: 'orchestrate' };
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  await admin.send(new PutUserPolicyCommand({ ...policy, PolicyDocument }));
  undo.push(() => admin.send(new DeleteUserPolicyCommand(policy)));
  const { AccessKey: key } = await admin.send(new CreateAccessKeyCommand({ UserName }));
  undo.push(() => admin.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: key!.AccessKeyId })));
  setting.proxy.forget();
  return setting.open(
    { name_prefix: NAME_PREFIX, ...settings },
    { 'env:KEY_ID': key!.AccessKeyId!, 'env:KEY': key!.SecretAccessKey! },
  );
}

async function usersOf(mark: string): Promise<string[]> {
  const found: string[] = [];
  let Marker: string | undefined;
  do {
    const page = await setting.admin.send(new ListUsersCommand({ Marker }));
    found.push(...page.Users!.map(({ UserName }) => UserName!).filter((name) => name.includes(mark)));
    Marker = page.Marker;
  } while (Marker !== undefined);
  return found;
}

describe('the check of an orchestrator that may do everything', () => {
  test('finds no right missing and says as whom AWS knows it', async () => {
    const aws = await openWithout([]);
    const check = await runCheck(aws);
    expect(check.identity).toMatch(new RegExp(`^arn:aws:iam::123456789012:user/orchestrator-${MARK}-`));
    expect(check.missingRights).toEqual([]);
    expect(check.untriedRights).toEqual(['iam:CreateUser']);
  });

  test('makes no user and no key, and changes nothing', async () => {
    const aws = await openWithout([]);
    const before = await usersOf(MARK);
    setting.proxy.forget();
    await runCheck(aws);
    const changes = setting.proxy.calls.filter(({ operation }) => !/^(?:Get|List)/.test(operation));
    expect(changes.length).toBeGreaterThan(10);
    expect(changes.filter(({ status }) => status !== 404)).toEqual([]);
    expect(operations()).not.toContain('CreateUser');
    expect(await usersOf(MARK)).toEqual(before);
  });

  test('tries rights only on a name that no lease can have and that IAM would take', async () => {
    const aws = await openWithout([], { name_prefix: 'p'.repeat(30) });
    await runCheck(aws);
    const names = new Set(setting.proxy.calls.map(({ parameters }) => parameters.get('UserName')));
    names.delete(null);
    expect([...names]).toEqual([expect.stringMatching(/^p{30}-check000-[a-z0-9]{24}$/)]);
    expect([...names][0]!.length).toBeLessThanOrEqual(64);
    setting.proxy.forget();
    await runCheck(aws);
    expect(names).not.toContain(setting.proxy.calls[1]!.parameters.get('UserName'));
  });

  test('waits for the rate before each of its calls, which it makes one after the other', async () => {
    const aws = await openWithout([]);
    let running = 0;
    let most = 0;
    setting.proxy.setOnCall((_, phase) => {
      running += phase === 'before' ? 1 : -1;
      most = Math.max(most, running);
    });
    await runCheck(aws);
    expect(aws.throttled()).toBe(setting.proxy.calls.length);
    expect(most).toBe(1);
  });
});

describe('the check of an orchestrator without some rights', () => {
  test.each([
    'iam:GetUser',
    'iam:TagUser',
    'iam:CreateAccessKey',
    'iam:DeleteAccessKey',
    'iam:DeleteUser',
    'iam:DeleteVirtualMFADevice',
    'iam:ListUsers',
    'iam:GetAccountSummary',
  ])('names %s', async (right) => {
    const check = await runCheck(await openWithout([right]));
    expect(check.missingRights).toEqual([right]);
    expect(check.untriedRights).toEqual(['iam:CreateUser']);
  });

  test('names every right of the documented policy as missing or as not tried, and no other', async () => {
    const aws = await openWithout(['iam:*'], { permissions_boundary: BOUNDARY });
    // The emulator knows nothing of these, and so no rights to them.
    for (const operation of ['ListServiceSpecificCredentials', 'DeleteServiceSpecificCredential']) {
      setting.proxy.fault({ operation, kind: 'error', status: 403, code: 'AccessDenied' });
    }
    const check = await runCheck(aws);
    expect([...check.missingRights, ...check.untriedRights].sort()).toEqual(await documentedActions());
    expect([...check.untriedRights].sort()).toEqual([
      'iam:AddUserToGroup',
      'iam:AttachUserPolicy',
      'iam:CreateUser',
      'iam:GetAccessKeyLastUsed',
      'iam:PutUserPolicy',
      'iam:RemoveUserFromGroup',
    ]);
  });

  test('does not take for missing what AWS may refuse only because there is no such key', async () => {
    expect(await runCheck(await openWithout(['iam:GetAccessKeyLastUsed']))).toMatchObject({
      missingRights: [],
      untriedRights: ['iam:CreateUser', 'iam:GetAccessKeyLastUsed'],
    });
  });

  test('takes a refused inline policy for a missing right only where no boundary can be the condition', async () => {
    const denied = ['iam:PutUserPolicy'];
    expect(await runCheck(await openWithout(denied))).toMatchObject({ missingRights: denied });
    expect(await runCheck(await openWithout(denied, { permissions_boundary: BOUNDARY }))).toMatchObject({
      missingRights: [],
      untriedRights: ['iam:CreateUser', 'iam:PutUserPolicy'],
    });
  });

  test('says that a right under the path alone looks the same', async () => {
    const path = `/check-${MARK}/`;
    const aws = await openWithout(['iam:DeleteUser'], { path });
    expect((await runCheck(aws)).notes).toContainEqual(expect.stringContaining(`user/${NAME_PREFIX}-????????-`));
    const whole = await openWithout(['iam:ListUsers'], { path });
    expect((await runCheck(whole)).notes).not.toContainEqual(expect.stringContaining(`user/${NAME_PREFIX}-????????-`));
  });

  test('finds none missing of those that are granted by path and name as documented', async () => {
    const aws = await openWithout([], { permissions_boundary: BOUNDARY });
    setting.proxy.setPathScope({ byName: await documentedByName() });
    expect(await runCheck(aws)).toMatchObject({
      missingRights: [],
      untriedRights: ['iam:CreateUser', 'iam:PutUserPolicy', 'iam:AttachUserPolicy'],
      notes: [],
    });
  });

  test('finds none missing without a boundary once the inline policy is granted by name, too', async () => {
    const aws = await openWithout([]);
    const byName = await documentedByName();
    setting.proxy.setPathScope({ byName });
    expect(await runCheck(aws)).toMatchObject({ missingRights: ['iam:PutUserPolicy'] });
    setting.proxy.setPathScope({ byName: [...byName, 'PutUserPolicy'] });
    expect(await runCheck(aws)).toMatchObject({ missingRights: [] });
  });

  test('finds all missing that are granted by path alone, and says so', async () => {
    const aws = await openWithout([]);
    setting.proxy.setPathScope({ byName: [] });
    const { missingRights, notes } = await runCheck(aws);
    expect(missingRights).toEqual(expect.arrayContaining(['iam:GetUser', 'iam:CreateAccessKey', 'iam:DeleteUser']));
    expect(notes).toContainEqual(expect.stringContaining(`user/${NAME_PREFIX}-????????-`));
  });

  test('says that a right under a condition on the boundary looks the same', async () => {
    const said = async (settings: object) =>
      (await runCheck(await openWithout(['iam:DetachUserPolicy'], settings))).notes.filter((note) =>
        note.includes('under no permissions boundary'),
      );
    expect(await said({ permissions_boundary: BOUNDARY })).toHaveLength(1);
    expect(await said({})).toEqual([]);
  });

  test('has no word on rights that AWS does not know in this partition', async () => {
    const aws = await openWithout([]);
    setting.proxy.fault({ operation: 'ListSSHPublicKeys', kind: 'error', status: 400, code: 'InvalidAction' });
    expect(await runCheck(aws)).toMatchObject({
      missingRights: [],
      untriedRights: ['iam:CreateUser', 'iam:ListSSHPublicKeys'],
    });
  });
});

describe('the check', () => {
  test('sends nothing that changes once IAM shows a user of the made-up name', async () => {
    const aws = await openWithout([]);
    setting.proxy.setOnCall(async (operation, phase, { parameters }) => {
      const UserName = parameters.get('UserName') ?? '';
      if (operation !== 'GetUser' || phase !== 'before' || undo.length > 3) return;
      undo.push(() => setting.admin.send(new DeleteUserCommand({ UserName })));
      await setting.admin.send(new CreateUserCommand({ UserName }));
    });
    await expect(runCheck(aws)).rejects.toMatchObject({ name: 'IntegrationError', type: 'Unavailable' });
    expect(operations()).toEqual(['GetCallerIdentity', 'GetUser', 'CreateUser']);
  });

  test('asks whether the user exists before it sends anything that changes', async () => {
    await runCheck(await openWithout([]));
    expect(operations().slice(0, 2)).toEqual(['GetCallerIdentity', 'GetUser']);
  });

  test.each([
    ['throttles', { operation: 'ListAccessKeys', kind: 'throttle' }, 'Throttled'],
    ['fails', { operation: 'DetachUserPolicy', kind: '500-before' }, 'Unavailable'],
    ['does not answer', { operation: 'GetUser', kind: 'lost-answer' }, 'Unavailable'],
    [
      'does not tell as whom it knows the orchestrator',
      { operation: 'GetCallerIdentity', kind: 'html-503' },
      'Unavailable',
    ],
  ] as const)('fails when AWS %s', async (_, fault, type) => {
    const aws = await openWithout([]);
    setting.proxy.fault(fault);
    await expect(runCheck(aws)).rejects.toMatchObject({ name: 'IntegrationError', type });
  });

  test('fails when the orchestrator’s key is not accepted, and takes that for no missing right', async () => {
    const aws = setting.open({}, { 'env:KEY_ID': 'AKIAIOSFODNN7EXAMPLE', 'env:KEY': 'wrong' });
    await expect(runCheck(aws)).rejects.toMatchObject({ name: 'IntegrationError', type: 'Refused' });
    expect(operations()).toEqual(['GetCallerIdentity']);
  });

  test('fails when the key stops being accepted on the way', async () => {
    const aws = await openWithout([]);
    setting.proxy.fault({ operation: 'DeleteUser', kind: 'error', status: 403, code: 'InvalidClientTokenId' });
    await expect(runCheck(aws)).rejects.toMatchObject({ type: 'Refused', facts: { code: 'InvalidClientTokenId' } });
  });

  test('is given up with the reason of its signal', async () => {
    const aws = await openWithout([]);
    const controller = new AbortController();
    const reason = new Error('enough');
    setting.proxy.fault({ operation: 'ListUserPolicies', kind: 'hang' });
    setting.proxy.setOnCall((operation) => {
      if (operation === 'ListUserPolicies') controller.abort(reason);
    });
    await expect(aws.integration.check(controller.signal)).rejects.toBe(reason);
  });

  test('says in its notes that there is no boundary, as long as there is none', async () => {
    const said = async (settings: object) =>
      (await runCheck(await openWithout([], settings))).notes.filter((note) => note.includes('permissions_boundary'));
    expect(await said({})).toHaveLength(1);
    expect(await said({ permissions_boundary: BOUNDARY })).toEqual([]);
  });

  test('tells what is left of the quota, and says so when that is little', async () => {
    const aws = await openWithout([], { permissions_boundary: BOUNDARY });
    const made = (await countMade(aws)) - 1;
    setting.proxy.setAccount({ users: 4_500 - made - 1, usersQuota: 5_000 });
    expect(await runCheck(aws)).toMatchObject({
      quota: { what: 'IAM users in the account', used: 4_500, limit: 5_000 },
      notes: [],
    });
    setting.proxy.setAccount({ users: 4_501 - made - 1, usersQuota: 5_000 });
    expect(await runCheck(aws)).toMatchObject({
      quota: { used: 4_501, limit: 5_000 },
      notes: ['There is room for 499 more of at most 5000 IAM users in the account.'],
    });
  });
});

/** How many users the proxy saw being made so far: it counts them on top. */
async function countMade(aws: AwsFixture): Promise<number> {
  setting.proxy.setAccount({ users: 0, usersQuota: 5_000 });
  return (await aws.integration.quota(new AbortController().signal))!.used;
}

describe('the quota', () => {
  const quota = (aws: AwsFixture) => aws.integration.quota(new AbortController().signal);

  test('counts every user of the account', async () => {
    setting.proxy.setAccount({ users: 17, usersQuota: 5_000 });
    const before = (await quota(setting.aws))!;
    expect(before).toMatchObject({ what: 'IAM users in the account', limit: 5_000 });
    const lease = setting.aws.lease();
    await lease.provision();
    expect((await quota(setting.aws))!.used).toBe(before.used + 1);
    await lease.deprovision();
    expect((await quota(setting.aws))!.used).toBe(before.used);
  });

  test('is not known without the right to ask for it', async () => {
    setting.proxy.setAccount({ users: 17, usersQuota: 5_000 });
    expect(await quota(await openWithout(['iam:GetAccountSummary']))).toBeNull();
  });

  test('is not called unknown when the orchestrator’s key is refused', async () => {
    const aws = setting.open({}, { 'env:KEY_ID': 'AKIAIOSFODNN7EXAMPLE', 'env:KEY': 'wrong' });
    await expect(quota(aws)).rejects.toMatchObject({ name: 'IntegrationError', type: 'Refused' });
  });

  test('is not called unknown when AWS fails', async () => {
    setting.proxy.fault({ operation: 'GetAccountSummary', kind: '500-before' });
    await expect(quota(setting.aws)).rejects.toMatchObject({ name: 'IntegrationError', type: 'Unavailable' });
  });
});
