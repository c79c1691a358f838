import { randomUUID } from 'node:crypto';
import {
  CreateAccessKeyCommand,
  DeleteUserCommand,
  ListVirtualMFADevicesCommand,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { additionsBy, SMALL_POLICY } from '../support/aws-additions';
import type { AwsLease } from '../support/aws-lease';
import { openAwsSetting } from '../support/aws-setting';
import type { AwsSetting } from '../support/aws-setting';
import { createFakeFence, FenceClosed } from '../support/fake-fence';

/** The emulator is shared with other tests. */
const SUFFIX = randomUUID();

// Other tests run at the same time.
jest.setTimeout(30_000);

let setting: AwsSetting;

beforeAll(async () => {
  setting = await openAwsSetting();
});

afterAll(async () => {
  await setting.close();
});

beforeEach(() => {
  setting.proxy.clearFaults();
  setting.proxy.setOnCall(undefined);
  setting.proxy.forget();
});

const operations = () => setting.proxy.calls.map(({ operation }) => operation);

const additions = additionsBy(() => setting.admin, SUFFIX);

/** Virtual MFA devices of the lease, whether a user has them or not. */
async function devicesOf(lease: AwsLease): Promise<string[]> {
  const { VirtualMFADevices: devices } = await setting.admin.send(new ListVirtualMFADevicesCommand({}));
  return devices!.map(({ SerialNumber: serial }) => serial!).filter((serial) => serial.includes(lease.leaseId));
}

describe('removal', () => {
  test.each(Object.entries(additions))('takes %s along', async (_, add) => {
    const lease = setting.aws.lease();
    const made = await lease.provision();
    await add(lease.userName);
    await expect(setting.admin.send(new DeleteUserCommand({ UserName: lease.userName }))).rejects.toThrow(
      'Cannot delete',
    );
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
    expect(await setting.findUser(lease.userName)).toBeUndefined();
    expect(await setting.tryIdentity(made)).toBe('InvalidClientTokenId');
  });

  test('takes everything at once along, virtual MFA devices included', async () => {
    const lease = setting.aws.lease();
    await lease.provision();
    for (const add of Object.values(additions)) await add(lease.userName);
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
    expect(await setting.findUser(lease.userName)).toBeUndefined();
    expect(await devicesOf(lease)).toEqual([]);
  });

  test.each([
    ['DeleteVirtualMFADevice', '500-before'],
    ['DeactivateMFADevice', 'lost-answer'],
  ] as const)('takes a virtual MFA device along although %s fails once (%s)', async (operation, kind) => {
    const lease = setting.aws.lease();
    await lease.provision();
    await additions['a virtual MFA device']!(lease.userName);
    setting.proxy.fault({ operation, kind });
    await lease.deprovision().catch(() => lease.deprovision());
    expect(await setting.findUser(lease.userName)).toBeUndefined();
    expect(await devicesOf(lease)).toEqual([]);
  });

  test('denies everything before it does anything else, and to the last', async () => {
    const lease = setting.aws.lease();
    await lease.provision();
    const fence = createFakeFence();
    fence.refuseFrom(2);
    await expect(lease.deprovision({ fence })).rejects.toThrow(FenceClosed);
    await setting.admin.send(
      new PutUserPolicyCommand({ UserName: lease.userName, PolicyName: 'added-later', PolicyDocument: SMALL_POLICY }),
    );
    setting.proxy.forget();
    await lease.deprovision();
    const changes = setting.proxy.calls.filter(({ operation }) => !/^(?:Get|List)/.test(operation));
    expect(changes[0]!.parameters.get('PolicyDocument')).toBe(
      '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}',
    );
    expect(changes.slice(-2).map(({ operation }) => operation)).toEqual(['DeleteUserPolicy', 'DeleteUser']);
    expect(changes.at(-2)!.parameters.get('PolicyName')).toBe(changes[0]!.parameters.get('PolicyName'));
  });

  test('looks for rare credentials only when IAM says that something is left', async () => {
    const lease = setting.aws.lease();
    await lease.provision();
    await lease.deprovision();
    expect(operations()).not.toContain('ListMFADevices');
  });

  test('makes room for the policy that denies everything where the inline policies leave none', async () => {
    const lease = setting.aws.lease();
    await lease.provision();
    const filler = { Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${'x'.repeat(1_820)}` };
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: filler });
    await setting.admin.send(
      new PutUserPolicyCommand({ UserName: lease.userName, PolicyName: 'filler', PolicyDocument }),
    );
    setting.proxy.forget();
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
    const puts = setting.proxy.calls.filter(({ operation }) => operation === 'PutUserPolicy');
    expect(puts.map(({ status }) => status)).toEqual([409, 200]);
  });

  test('starts again when a key appears while it runs', async () => {
    const lease = setting.aws.lease();
    await lease.provision();
    let added = false;
    setting.proxy.setOnCall(async (operation, phase) => {
      if (operation !== 'DeleteUser' || phase !== 'before' || added) return;
      added = true;
      await setting.admin.send(new CreateAccessKeyCommand({ UserName: lease.userName }));
    });
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
    expect(added).toBe(true);
  });

  test('of a user that somebody deletes meanwhile is not called proven', async () => {
    const lease = setting.aws.lease();
    await lease.provision();
    setting.proxy.fault({ operation: 'DeleteUser', kind: 'not-found' });
    setting.proxy.fault({ operation: 'GetUser', kind: 'not-found', nth: 2 });
    expect(await lease.deprovision()).toEqual({ result: 'absent' });
    setting.proxy.clearFaults();
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
  });

  test('waits until a look says that the user is gone', async () => {
    const lease = setting.aws.lease();
    await lease.provision();
    const seen: string[] = [];
    setting.proxy.setOnCall((operation, phase) => {
      if (phase === 'before') seen.push(operation);
    });
    await lease.deprovision();
    expect(seen.at(-1)).toBe('GetUser');
    expect(seen.at(-2)).toBe('DeleteUser');
  });
});

describe('removal where AWS does not offer some kinds of credentials', () => {
  const lists = ['ListServiceSpecificCredentials', 'ListSSHPublicKeys', 'ListSigningCertificates', 'ListMFADevices'];

  /** A lease with something that the first round does not remove, so that the second has to list. */
  async function makeWithPassword(): Promise<AwsLease> {
    const lease = setting.aws.lease();
    await lease.provision();
    await additions['a login profile']!(lease.userName);
    return lease;
  }

  function answer(operation: string, code: string): void {
    setting.proxy.fault({ operation, kind: 'error', status: 400, code, times: Infinity });
  }

  test.each([[lists.slice(0, 2)], [lists]])('(%j) ends', async (unknown) => {
    const lease = await makeWithPassword();
    for (const operation of unknown) answer(operation, 'InvalidAction');
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
    expect(operations()).toEqual(expect.arrayContaining(unknown));
    expect(await setting.findUser(lease.userName)).toBeUndefined();
  });

  test('still takes along what it does offer', async () => {
    const lease = await makeWithPassword();
    await additions['a virtual MFA device']!(lease.userName);
    for (const operation of lists.slice(0, 3)) answer(operation, 'InvalidAction');
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
    expect(operations()).toContain('DeleteVirtualMFADevice');
  });

  test.each(
    lists.flatMap((operation) => ['ValidationError', 'AccessDenied'].map((code) => [operation, code] as const)),
  )('takes no other answer for an empty list (%s: %s)', async (operation, code) => {
    const lease = await makeWithPassword();
    answer(operation, code);
    await expect(lease.deprovision()).rejects.toMatchObject({ facts: { operation, code } });
    setting.proxy.clearFaults();
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
  });
});

describe('the strict proxy', () => {
  test('refuses a key that was made inactive, which the emulator does not', async () => {
    const lease = setting.aws.lease();
    const made = await lease.provision();
    const key = { UserName: lease.userName, AccessKeyId: made.credential['ACCESS_KEY_ID'] };
    await setting.admin.send(new UpdateAccessKeyCommand({ ...key, Status: 'Inactive' }));
    expect(await setting.tryIdentity(made)).toBe('InvalidClientTokenId');
    expect(await setting.tryBuckets(made)).toBe('InvalidAccessKeyId');
    await setting.admin.send(new UpdateAccessKeyCommand({ ...key, Status: 'Active' }));
    expect(await setting.tryIdentity(made)).toBe('ok');
    await lease.deprovision();
  });
});
