import { randomUUID } from 'node:crypto';
import { CreateGroupCommand } from '@aws-sdk/client-iam';
import { awsIam } from '../../activities/integrations/aws-iam/aws-iam';
import { additionsBy } from '../support/aws-additions';
import { holdingsOf, NOTHING } from '../support/aws-holdings';
import { EXPIRY, LIST_BUCKETS } from '../support/aws-lease';
import type { AwsLease } from '../support/aws-lease';
import { openAwsSetting } from '../support/aws-setting';
import type { AwsSetting } from '../support/aws-setting';
import { createFakeFence, FenceClosed } from '../support/fake-fence';

/** The emulator is shared with other tests. */
const SUFFIX = randomUUID();
const [OLD_GROUP, NEW_GROUP] = [`old-${SUFFIX}`, `new-${SUFFIX}`];
const [OLD_POLICY, NEW_POLICY] = ['arn:aws:iam::aws:policy/ReadOnlyAccess', 'arn:aws:iam::aws:policy/SecurityAudit'];
const LATER = new Date(EXPIRY.getTime() + 3_600_000);

const OLD = awsIam.parameters.parse({
  policy: { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' } },
  policy_arns: [OLD_POLICY],
  groups: [OLD_GROUP],
  wait_until_usable: false,
});
const NEW = awsIam.parameters.parse({ policy_arns: [NEW_POLICY], groups: [NEW_GROUP], wait_until_usable: false });

// Other tests run at the same time.
jest.setTimeout(30_000);

let setting: AwsSetting;
const additions = additionsBy(() => setting.admin, SUFFIX);

beforeAll(async () => {
  setting = await openAwsSetting();
  for (const GroupName of [OLD_GROUP, NEW_GROUP]) await setting.admin.send(new CreateGroupCommand({ GroupName }));
});

afterAll(() => setting.close());

beforeEach(() => {
  setting.proxy.clearFaults();
  setting.proxy.forget();
});

async function expiryOf({ userName }: AwsLease): Promise<string | undefined> {
  const user = await setting.findUser(userName);
  return user!.Tags!.find(({ Key: key }) => key === 'leasehold:expires-at')?.Value;
}

/** What the holder of an earlier run's key, or an admin, could have added: as much as there is room for. */
async function addEverything({ userName }: AwsLease): Promise<void> {
  for (const [kind, add] of Object.entries(additions)) {
    if (kind !== 'many groups' && kind !== 'many managed policies') await add(userName);
  }
}

test('a lease that is issued for the first time asks no more of IAM than it needs', async () => {
  const lease = setting.aws.lease();
  await lease.provision();
  expect(setting.proxy.calls.map(({ operation }) => operation)).toEqual([
    'GetUser',
    'CreateUser',
    'PutUserPolicy',
    'CreateAccessKey',
  ]);
  await lease.deprovision();
});

describe('a lease whose user was made before', () => {
  test('by an attempt with other parameters has the rights of its own ones alone', async () => {
    const lease = setting.aws.lease(OLD);
    setting.proxy.fault({ operation: 'CreateAccessKey', kind: 'lost-answer' });
    await expect(lease.provision()).rejects.toMatchObject({ type: 'Unavailable' });
    const { credential } = await lease.provision({ parameters: NEW });
    expect(await holdingsOf(setting.admin, lease.userName)).toEqual({
      ...NOTHING,
      keys: [credential['ACCESS_KEY_ID']],
      groups: [NEW_GROUP],
      managed: [NEW_POLICY],
    });
    await lease.deprovision();
  });

  test('by an earlier run has nothing of what it had then, and its new expiry', async () => {
    const lease = setting.aws.lease(OLD);
    await lease.provision();
    await addEverything(lease);
    const { credential } = await lease.provision({ parameters: NEW, expiry: LATER });
    expect(await holdingsOf(setting.admin, lease.userName)).toEqual({
      ...NOTHING,
      keys: [credential['ACCESS_KEY_ID']],
      groups: [NEW_GROUP],
      managed: [NEW_POLICY],
    });
    expect(await expiryOf(lease)).toBe(LATER.toISOString());
    await lease.deprovision();
  });

  test('keeps what is among its parameters, and is never without it', async () => {
    const lease = setting.aws.lease(OLD);
    await lease.provision();
    setting.proxy.forget();
    await lease.provision({ expiry: LATER });
    const taken = setting.proxy.calls.filter(({ operation }) => /^(?:Remove|Detach|DeleteUserPolicy)/.test(operation));
    expect(taken).toEqual([]);
    expect(await holdingsOf(setting.admin, lease.userName)).toMatchObject({
      groups: [OLD_GROUP],
      managed: [OLD_POLICY],
      inline: ['leasehold'],
    });
    await lease.deprovision();
  });

  test('and was being removed is not denied everything any more', async () => {
    const lease = setting.aws.lease(LIST_BUCKETS);
    await lease.provision();
    const fence = createFakeFence();
    fence.refuseFrom(2);
    await expect(lease.deprovision({ fence })).rejects.toThrow(FenceClosed);
    const made = await lease.provision({ expiry: LATER });
    expect(await setting.tryBuckets(made)).toBe('ok');
    await lease.deprovision();
  });

  test('by an earlier run has nothing of it either when an attempt stops on the way, wherever that is', async () => {
    const wanted = { parameters: NEW, expiry: LATER };
    for (let nth = 1, stopped = true; stopped; nth += 1) {
      const lease = setting.aws.lease(OLD);
      await lease.provision();
      for (const kind of ['a login profile', 'an SSH key', 'a second key']) await additions[kind]!(lease.userName);
      const fence = createFakeFence();
      fence.refuseFrom(nth);
      const first: unknown = await lease.provision({ ...wanted, fence }).catch((error: unknown) => error);
      stopped = first instanceof FenceClosed;
      if (stopped) await lease.provision(wanted);
      expect(await holdingsOf(setting.admin, lease.userName)).toEqual({
        ...NOTHING,
        keys: [expect.any(String)],
        groups: [NEW_GROUP],
        managed: [NEW_POLICY],
      });
      expect(await expiryOf(lease)).toBe(LATER.toISOString());
      await lease.deprovision();
    }
  });
});
