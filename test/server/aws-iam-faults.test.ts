import { randomUUID } from 'node:crypto';
import { CreateGroupCommand } from '@aws-sdk/client-iam';
import { awsIam } from '../../activities/integrations/aws-iam/aws-iam';
import { IntegrationError } from '../../activities/integrations/integration';
import type { Made } from '../../activities/integrations/integration';
import type { AwsLease } from '../support/aws-lease';
import { openAwsSetting } from '../support/aws-setting';
import type { AwsSetting } from '../support/aws-setting';
import { createFakeFence, FenceClosed } from '../support/fake-fence';
import type { FakeFence } from '../support/fake-fence';
import type { FaultKind } from '../support/faults';

/** The emulator is shared with other tests. */
const GROUP = `readers-${randomUUID()}`;

const EVERYTHING = awsIam.parameters.parse({
  policy: { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' } },
  policy_arns: ['arn:aws:iam::aws:policy/ReadOnlyAccess'],
  groups: [GROUP],
  wait_until_usable: false,
});

/** Every call that changes something, in order: of a first attempt, of one that adopts, and of a removal. */
const MAKING = ['CreateUser', 'PutUserPolicy', 'AttachUserPolicy', 'AddUserToGroup', 'CreateAccessKey'];
const ADOPTING = ['PutUserPolicy', 'AttachUserPolicy', 'AddUserToGroup', 'DeleteAccessKey', 'CreateAccessKey'];
const REMOVING = [
  'PutUserPolicy',
  'DeleteAccessKey',
  'RemoveUserFromGroup',
  'DetachUserPolicy',
  'DeleteUserPolicy',
  'DeleteUserPolicy',
  'DeleteUser',
];
/** Done without a word, and not done. */
const KINDS: FaultKind[] = ['lost-answer', '500-before'];
const nthOf = (operations: string[], index: number) =>
  operations.slice(0, index + 1).filter((operation) => operation === operations[index]).length;

// Other tests run at the same time.
jest.setTimeout(30_000);

let setting: AwsSetting;

beforeAll(async () => {
  setting = await openAwsSetting();
  await setting.admin.send(new CreateGroupCommand({ GroupName: GROUP }));
});

afterAll(async () => {
  await setting.close();
});

beforeEach(() => {
  setting.proxy.clearFaults();
  setting.proxy.setOnCall(undefined);
  setting.proxy.forget();
});

/** As the workflow would: again and again, whatever the error of an attempt. */
async function insist<T>(attempt: () => Promise<T>): Promise<{ readonly result: T; readonly failures: number }> {
  for (let failures = 0; ; failures += 1) {
    try {
      return { result: await attempt(), failures };
    } catch (error) {
      if (!(error instanceof IntegrationError) || failures === 3) throw error;
    }
  }
}

async function expectOneKey(lease: AwsLease, made: Made): Promise<void> {
  expect(await setting.keysOf(lease.userName)).toEqual([made.credential['ACCESS_KEY_ID']]);
}

async function expectGone(lease: AwsLease): Promise<void> {
  expect(await setting.findUser(lease.userName)).toBeUndefined();
}

/** A user with rights and a key that nobody holds, as an attempt leaves it whose last answer was lost. */
async function abandonHalfMade(lease: AwsLease): Promise<void> {
  setting.proxy.fault({ operation: 'CreateAccessKey', kind: 'lost-answer' });
  await expect(lease.provision()).rejects.toThrow(IntegrationError);
  setting.proxy.clearFaults();
}

describe('provision, retried', () => {
  test.each(MAKING.flatMap((operation) => KINDS.map((kind) => [operation, kind] as const)))(
    'after %s failed (%s) leaves one user with one key',
    async (operation, kind) => {
      const lease = setting.aws.lease(EVERYTHING);
      setting.proxy.fault({ operation, kind });
      const { result: made, failures } = await insist(() => lease.provision());
      expect(failures).toBe(1);
      await expectOneKey(lease, made);
      expect((await lease.deprovision()).result).toBe('removed');
      await expectGone(lease);
    },
  );

  test.each(ADOPTING.flatMap((operation) => KINDS.map((kind) => [operation, kind] as const)))(
    'over a half-made user, after %s failed (%s), leaves one key',
    async (operation, kind) => {
      const lease = setting.aws.lease(EVERYTHING);
      await abandonHalfMade(lease);
      setting.proxy.fault({ operation, kind });
      const { result: made, failures } = await insist(() => lease.provision());
      expect(failures).toBe(1);
      await expectOneKey(lease, made);
    },
  );

  test('never sends a failed call again by itself', async () => {
    const lease = setting.aws.lease(EVERYTHING);
    setting.proxy.fault({ operation: 'CreateAccessKey', kind: 'lost-answer', times: Infinity });
    await expect(lease.provision()).rejects.toThrow('CreateAccessKey');
    expect(setting.proxy.calls.filter(({ operation }) => operation === 'CreateAccessKey')).toHaveLength(1);
    await lease.deprovision();
  });

  test.each(['500-after', 'html-503', 'throttle'] as const)(
    'after answers of other kinds (%s) is no different',
    async (kind) => {
      for (const operation of ['CreateUser', 'CreateAccessKey', 'DeleteUser']) setting.proxy.fault({ operation, kind });
      const lease = setting.aws.lease(EVERYTHING);
      const { result: made, failures } = await insist(() => lease.provision());
      expect(failures).toBe(2);
      await expectOneKey(lease, made);
      expect((await insist(() => lease.deprovision())).failures).toBe(1);
      await expectGone(lease);
    },
  );

  test('after calls that were never answered leaves one user with one key', async () => {
    for (const operation of ['CreateUser', 'CreateAccessKey']) {
      setting.proxy.fault({ operation, kind: 'hang' });
      setting.proxy.fault({ operation, kind: 'hang-after', nth: 2 });
    }
    const leases = Array.from({ length: 4 }, () => setting.aws.lease(EVERYTHING));
    const retried = await Promise.all(
      leases.map(async (lease) => {
        const { result: made, failures } = await insist(() => lease.provision({ withinMs: 60_000 }));
        await expectOneKey(lease, made);
        await lease.deprovision();
        return failures;
      }),
    );
    expect(retried.reduce((sum, failures) => sum + failures, 0)).toBe(4);
  }, 40_000);

  test('waits while IAM does not show the new user to the next call', async () => {
    for (const operation of MAKING.slice(1)) setting.proxy.fault({ operation, kind: 'not-found', times: 3 });
    const lease = setting.aws.lease(EVERYTHING);
    await expectOneKey(lease, await lease.provision());
    expect(setting.proxy.calls.filter(({ operation }) => operation === 'CreateUser')).toHaveLength(1);
    await lease.deprovision();
  });

  test('adopts a user that IAM at first denies to have', async () => {
    const lease = setting.aws.lease(EVERYTHING);
    await abandonHalfMade(lease);
    setting.proxy.fault({ operation: 'GetUser', kind: 'not-found', times: 2 });
    await expectOneKey(lease, await lease.provision());
    await lease.deprovision();
  });

  test('gives up waiting within its attempt, to be retried', async () => {
    setting.proxy.fault({ operation: 'PutUserPolicy', kind: 'not-found', times: Infinity });
    const lease = setting.aws.lease(EVERYTHING);
    const started = Date.now();
    await expect(lease.provision({ withinMs: 500 })).rejects.toMatchObject({ type: 'Unavailable' });
    expect(Date.now() - started).toBeLessThan(500);
    setting.proxy.clearFaults();
    await lease.deprovision();
  });

  test('deletes a key that an earlier call made after the keys were listed', async () => {
    const lease = setting.aws.lease(EVERYTHING);
    await abandonHalfMade(lease);
    let late: Made | undefined;
    setting.proxy.setOnCall(async (operation, phase) => {
      if (operation !== 'CreateAccessKey' || phase !== 'before') return;
      setting.proxy.setOnCall(undefined);
      late = await lease.provision();
    });
    const made = await lease.provision();
    expect(late).toBeDefined();
    await expectOneKey(lease, made);
    await lease.deprovision();
  });
});

describe('a stalled provision attempt that wakes after its successor delivered', () => {
  async function overtake(
    lease: AwsLease,
    nth: number,
    close: (fence: FakeFence) => void,
  ): Promise<{ readonly error: unknown; readonly delivered: Made; readonly sentAfter: string[] }> {
    let delivered: Made | undefined;
    const fence = createFakeFence(async (_, asked) => {
      if (asked !== nth) return;
      delivered = await lease.provision();
      setting.proxy.forget();
    });
    close(fence);
    const error: unknown = await lease.provision({ fence }).catch((thrown: unknown) => thrown);
    const sentAfter = setting.proxy.calls.map(({ operation }) => operation);
    return { error, delivered: delivered!, sentAfter };
  }

  const cases = [
    ...MAKING.map((operation, index) => ['first', operation, index + 1] as const),
    ...ADOPTING.map((operation, index) => ['adopting', operation, index + 1] as const),
  ];

  test.each(cases)('(%s, before %s) is refused by its fence and does nothing', async (kind, _, nth) => {
    const lease = setting.aws.lease(EVERYTHING);
    if (kind === 'adopting') await abandonHalfMade(lease);
    const { error, delivered, sentAfter } = await overtake(lease, nth, (fence) => {
      fence.refuseFrom(nth);
    });
    expect(error).toBeInstanceOf(FenceClosed);
    expect(sentAfter).toEqual([]);
    await expectOneKey(lease, delivered);
  });

  test.each(cases)('(%s, stopped between its fence and %s) sends nothing', async (kind, _, nth) => {
    const lease = setting.aws.lease(EVERYTHING);
    if (kind === 'adopting') await abandonHalfMade(lease);
    const { error, delivered, sentAfter } = await overtake(lease, nth, (fence) => {
      fence.expireFrom(nth);
    });
    expect(error).toBeInstanceOf(IntegrationError);
    expect(sentAfter).toEqual([]);
    await expectOneKey(lease, delivered);
  });
});

describe('deprovision, retried', () => {
  test.each(
    REMOVING.flatMap((operation, index) => KINDS.map((kind) => [operation, nthOf(REMOVING, index), kind] as const)),
  )('after %s (%i) failed (%s) leaves nothing', async (operation, nth, kind) => {
    const lease = setting.aws.lease(EVERYTHING);
    await lease.provision();
    setting.proxy.fault({ operation, kind, nth });
    const { failures, result } = await insist(() => lease.deprovision());
    expect(failures).toBe(1);
    // Only an attempt that saw its own deletion confirmed may call the user removed.
    const committed = operation === 'DeleteUser' && (kind === 'lost-answer' || kind === '500-after');
    expect(result).toEqual({ result: committed ? 'absent' : 'removed' });
    await expectGone(lease);
  });

  test.each(MAKING.map((operation, index) => [operation, index + 1] as const))(
    'clears what provision left when it was stopped before %s',
    async (_, nth) => {
      const lease = setting.aws.lease(EVERYTHING);
      const fence = createFakeFence();
      fence.refuseFrom(nth);
      await expect(lease.provision({ fence })).rejects.toThrow(FenceClosed);
      expect(await lease.deprovision()).toEqual({ result: nth === 1 ? 'absent' : 'removed' });
      await expectGone(lease);
    },
  );

  test.each(REMOVING.map((operation, index) => [operation, index + 1] as const))(
    'stopped by its fence before %s, is ended by the next attempt',
    async (_, nth) => {
      const lease = setting.aws.lease(EVERYTHING);
      await lease.provision();
      const fence = createFakeFence();
      fence.refuseFrom(nth);
      await expect(lease.deprovision({ fence })).rejects.toThrow(FenceClosed);
      expect(await setting.findUser(lease.userName)).toBeDefined();
      expect(await lease.deprovision()).toEqual({ result: 'removed' });
      await expectGone(lease);
    },
  );

  test.each(['AccessDenied', 'LimitExceeded'])(
    'goes on when IAM does not take the policy that denies all (%s)',
    async (code) => {
      const lease = setting.aws.lease(EVERYTHING);
      await lease.provision();
      setting.proxy.fault({ operation: 'PutUserPolicy', kind: 'error', status: 409, code });
      expect(await lease.deprovision()).toEqual({ result: 'removed' });
      await expectGone(lease);
    },
  );

  test('is not said to be done while IAM still shows the user', async () => {
    const lease = setting.aws.lease(EVERYTHING);
    await lease.provision();
    setting.proxy.fault({
      operation: 'DeleteUser',
      kind: 'error',
      status: 409,
      code: 'DeleteConflict',
      times: Infinity,
    });
    await expect(lease.deprovision()).rejects.toMatchObject({
      type: 'Unavailable',
      facts: { operation: 'DeleteUser' },
    });
    setting.proxy.clearFaults();
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
  });
});
