import { randomUUID } from 'node:crypto';
import { AddUserToGroupCommand, CreateGroupCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { awsIam } from '../../activities/integrations/aws-iam/aws-iam';
import { additionsBy } from '../support/aws-additions';
import { holdingsOf, NOTHING } from '../support/aws-holdings';
import type { Holdings } from '../support/aws-holdings';
import type { AwsLease } from '../support/aws-lease';
import { openAwsSetting } from '../support/aws-setting';
import type { AwsSetting } from '../support/aws-setting';

/** The emulator is shared with other tests. */
const SUFFIX = randomUUID();
const [GROUP, OTHER_GROUP] = [`readers-${SUFFIX}`, `others-${SUFFIX}`];
const READ_ONLY = 'arn:aws:iam::aws:policy/ReadOnlyAccess';

const EVERYTHING = awsIam.parameters.parse({
  policy: { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' } },
  policy_arns: [READ_ONLY],
  groups: [GROUP],
  wait_until_usable: false,
});

/** The policy that denies everything. */
const DENIAL = 'leasehold-revoked';

// Other tests run at the same time.
jest.setTimeout(30_000);

let setting: AwsSetting;
const additions = additionsBy(() => setting.admin, SUFFIX);

beforeAll(async () => {
  setting = await openAwsSetting();
  for (const GroupName of [GROUP, OTHER_GROUP]) await setting.admin.send(new CreateGroupCommand({ GroupName }));
});

afterAll(() => setting.close());

beforeEach(() => {
  setting.proxy.clearFaults();
  setting.proxy.setOnCall(undefined);
  setting.proxy.forget();
});

const operations = () => setting.proxy.calls.map(({ operation }) => operation);

/** A lease with something of every kind that a user can have. */
async function makeFull(): Promise<{ readonly lease: AwsLease; readonly keyId: string }> {
  const lease = setting.aws.lease(EVERYTHING);
  const { credential } = await lease.provision();
  for (const kind of [
    'a login profile',
    'a virtual MFA device',
    'an SSH key',
    'a signing certificate',
    'service-specific credentials',
  ]) {
    await additions[kind]!(lease.userName);
  }
  setting.proxy.forget();
  return { lease, keyId: credential['ACCESS_KEY_ID']! };
}

function refuse(operation: string, times = Infinity): void {
  setting.proxy.fault({ operation, kind: 'error', status: 403, code: 'AccessDenied', times });
}

async function expectRemovable(lease: AwsLease): Promise<void> {
  setting.proxy.clearFaults();
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  expect(await setting.findUser(lease.userName)).toBeUndefined();
}

describe('the removal of a lease that is refused one step', () => {
  const denied = { ...NOTHING, inline: [DENIAL] };
  const left: [string, (keyId: string) => Holdings][] = [
    ['DeleteAccessKey', (keyId) => ({ ...denied, keys: [keyId] })],
    ['ListAccessKeys', (keyId) => ({ ...denied, keys: [keyId] })],
    ['RemoveUserFromGroup', () => ({ ...denied, groups: [GROUP] })],
    ['ListGroupsForUser', () => ({ ...denied, groups: [GROUP] })],
    ['DetachUserPolicy', () => ({ ...denied, managed: [READ_ONLY] })],
    ['ListUserPolicies', () => ({ ...NOTHING, inline: ['leasehold', DENIAL] })],
    ['DeleteUserPolicy', () => ({ ...NOTHING, inline: ['leasehold', DENIAL] })],
    ['DeleteLoginProfile', () => ({ ...denied, passwords: 1 })],
    ['ListServiceSpecificCredentials', () => ({ ...denied, serviceCredentials: 2 })],
    ['DeleteSSHPublicKey', () => ({ ...denied, sshKeys: 1 })],
    ['ListSigningCertificates', () => ({ ...denied, certificates: 1 })],
    ['DeactivateMFADevice', () => ({ ...denied, devices: 1 })],
    ['DeleteUser', () => NOTHING],
  ];

  test.each(left)(
    '(%s) leaves nothing but what that step removes, and says which one it is',
    async (operation, what) => {
      const { lease, keyId } = await makeFull();
      refuse(operation);
      await expect(lease.deprovision()).rejects.toMatchObject({
        type: 'Refused',
        facts: { operation, code: 'AccessDenied' },
      });
      setting.proxy.clearFaults();
      expect(await holdingsOf(setting.admin, lease.userName)).toEqual(what(keyId));
      await expectRemovable(lease);
    },
  );

  test('takes the group away that it may, whichever comes first', async () => {
    const { lease } = await makeFull();
    await setting.admin.send(new AddUserToGroupCommand({ UserName: lease.userName, GroupName: OTHER_GROUP }));
    refuse('RemoveUserFromGroup', 1);
    await expect(lease.deprovision()).rejects.toMatchObject({ facts: { operation: 'RemoveUserFromGroup' } });
    expect((await holdingsOf(setting.admin, lease.userName)).groups).toHaveLength(1);
    await expectRemovable(lease);
  });

  test('denies everything also where the inline policies left no room for that', async () => {
    const { lease } = await makeFull();
    const filler = { Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${'x'.repeat(1_820)}` };
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: filler });
    await setting.admin.send(
      new PutUserPolicyCommand({ UserName: lease.userName, PolicyName: 'filler', PolicyDocument }),
    );
    refuse('RemoveUserFromGroup');
    await expect(lease.deprovision()).rejects.toMatchObject({ facts: { operation: 'RemoveUserFromGroup' } });
    expect(await holdingsOf(setting.admin, lease.userName)).toEqual({ ...denied, groups: [GROUP] });
    await expectRemovable(lease);
  });

  test('does not go on at an IAM that fails', async () => {
    const { lease } = await makeFull();
    setting.proxy.fault({ operation: 'DeleteAccessKey', kind: '500-before' });
    await expect(lease.deprovision()).rejects.toMatchObject({ type: 'Unavailable' });
    expect(operations().at(-1)).toBe('DeleteAccessKey');
    await expectRemovable(lease);
  });
});
