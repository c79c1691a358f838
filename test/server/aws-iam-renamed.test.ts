import { randomUUID } from 'node:crypto';
import {
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  IAMClient,
  TagUserCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam';
import type { Made } from '../../activities/integrations/integration';
import { DEPLOYMENT } from '../support/aws-lease';
import type { AwsLease } from '../support/aws-lease';
import { openAwsSetting, REGION } from '../support/aws-setting';
import type { AwsSetting } from '../support/aws-setting';
import { openLab, REQUEST } from '../support/lab';
import { provided } from '../support/stack';
import { failureOf } from '../support/provider-failure';

// Other tests run at the same time.
jest.setTimeout(30_000);

let setting: AwsSetting;

beforeAll(async () => {
  setting = await openAwsSetting();
});

afterAll(() => setting.close());

beforeEach(() => {
  setting.proxy.clearFaults();
  setting.proxy.forget();
});

const operations = () => setting.proxy.calls.map(({ operation }) => operation);
const looks = () => operations().filter((operation) => operation === 'GetAccessKeyLastUsed').length;
const keyIdOf = ({ credential }: Made): string => credential['ACCESS_KEY_ID']!;

async function rename(from: string, to: string): Promise<void> {
  await setting.admin.send(new UpdateUserCommand({ UserName: from, NewUserName: to }));
}

/** A lease whose holder has renamed its user. */
async function makeRenamed(): Promise<{ readonly lease: AwsLease; readonly made: Made; readonly name: string }> {
  const lease = setting.aws.lease();
  const made = await lease.provision();
  const name = `escaped-${randomUUID()}`;
  await rename(lease.userName, name);
  setting.proxy.forget();
  return { lease, made, name };
}

describe('a lease whose user was renamed by its holder', () => {
  test('does not end, and says what the user is called now, until it is renamed back', async () => {
    const { lease, made, name } = await makeRenamed();
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const { type, message, facts } = await failureOf(() => lease.deprovision());
      expect([type, facts.operation, facts.entity]).toEqual(['Refused', 'GetAccessKeyLastUsed', lease.userName]);
      expect(message).toContain(`the user ${name} has it`);
      expect(message).toContain(`rename it back to ${lease.userName}`);
      expect(message).toContain(keyIdOf(made));
    }
    expect(operations().filter((operation) => !operation.startsWith('Get'))).toEqual([]);
    expect(await setting.keysOf(name)).toEqual([keyIdOf(made)]);
    await rename(name, lease.userName);
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
    expect(await setting.findUser(lease.userName)).toBeUndefined();
    expect(await setting.tryIdentity(made)).toBe('InvalidClientTokenId');
  });

  test('ends once its key was deleted by hand', async () => {
    const { lease, made, name } = await makeRenamed();
    expect((await failureOf(() => lease.deprovision())).type).toBe('Refused');
    await setting.admin.send(new DeleteAccessKeyCommand({ UserName: name, AccessKeyId: keyIdOf(made) }));
    expect(await lease.deprovision()).toEqual({ result: 'absent' });
    await setting.admin.send(new DeleteUserPolicyCommand({ UserName: name, PolicyName: 'leasehold' }));
    await setting.admin.send(new DeleteUserCommand({ UserName: name }));
  });

  test('does not end either when another user has its name and marks, which alone is removed', async () => {
    const { lease, made, name } = await makeRenamed();
    const Tags = [
      { Key: 'leasehold:deployment', Value: DEPLOYMENT },
      { Key: 'leasehold:lease', Value: lease.leaseId },
    ];
    await setting.admin.send(new CreateUserCommand({ UserName: lease.userName, Path: '/leasehold/', Tags }));
    expect((await failureOf(() => lease.deprovision())).message).toContain(`the user ${name} has it`);
    expect(await setting.findUser(lease.userName)).toBeUndefined();
    expect(await setting.keysOf(name)).toEqual([keyIdOf(made)]);
    await rename(name, lease.userName);
    // The emulator keeps tags by ARN, and has forgotten these with the other user.
    await setting.admin.send(new TagUserCommand({ UserName: lease.userName, Tags }));
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
  });

  test('ends untold where the orchestrator may not ask whose its key is', async () => {
    const { lease, name } = await makeRenamed();
    setting.proxy.fault({ operation: 'GetAccessKeyLastUsed', kind: 'error', status: 403, code: 'AccessDenied' });
    expect(await lease.deprovision()).toEqual({ result: 'absent' });
    expect(looks()).toBe(1);
    await rename(name, lease.userName);
    await lease.deprovision();
  });

  test.each([
    ['throttles', { kind: 'throttle' }, 'Throttled'],
    ['fails', { kind: '500-before' }, 'Unavailable'],
    ['does not answer', { kind: 'lost-answer' }, 'Unavailable'],
    ['takes the orchestrator’s key for none', { kind: 'error', status: 403, code: 'InvalidClientTokenId' }, 'Refused'],
  ] as const)('does not end while IAM %s when asked whose its key is', async (_, fault, type) => {
    const { lease, name } = await makeRenamed();
    setting.proxy.fault({ operation: 'GetAccessKeyLastUsed', ...fault });
    expect((await failureOf(() => lease.deprovision())).type).toBe(type);
    expect((await failureOf(() => lease.deprovision())).message).toContain(`the user ${name} has it`);
    await rename(name, lease.userName);
    await lease.deprovision();
  });

  test('is stuck, and its workflow says why, until it is renamed back', async () => {
    const lab = await openLab();
    const iam = new IAMClient({
      endpoint: lab.proxy.url,
      region: REGION,
      maxAttempts: 1,
      credentials: { accessKeyId: provided().aws.accessKeyId, secretAccessKey: provided().aws.secretAccessKey },
    });
    try {
      await lab.startWorker();
      const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
      expect(lease.facts).toMatchObject({ access_key_id: lease.credential['ACCESS_KEY_ID'] });
      const [UserName] = await lab.aws.usersLike(lease.leaseId);
      const name = `escaped-${randomUUID()}`;
      await iam.send(new UpdateUserCommand({ UserName, NewUserName: name }));
      await lease.revoke();
      await lab.until(lease.leaseId, 'stuck');
      await lab.untilFailing(lease.leaseId, `the user ${name} has it`);
      await iam.send(new UpdateUserCommand({ UserName: name, NewUserName: UserName }));
      expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'revoked' });
      expect(await lab.aws.usersLike(lease.leaseId)).toEqual([]);
    } finally {
      iam.destroy();
      await lab.close();
    }
  }, 120_000);
});

describe('the removal of a lease', () => {
  test('asks for no key whose deletion IAM confirmed', async () => {
    const lease = setting.aws.lease();
    await lease.provision();
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
    expect(looks()).toBe(0);
  });

  test('that an earlier attempt did asks once, and IAM knows no such key', async () => {
    const lease = setting.aws.lease();
    await lease.provision();
    await lease.deprovision();
    expect(await lease.deprovision()).toEqual({ result: 'absent' });
    expect(looks()).toBe(1);
  });

  test('goes on, though not at once, when IAM still names its own user for a key, as it may do for one that is deleted', async () => {
    // The emulator, asked past the rules of the proxy, names the owner as it was called when the key was made.
    const bare = setting.open({ endpoint: provided().aws.url });
    const lease = bare.lease();
    await lease.provision();
    const name = `escaped-${randomUUID()}`;
    await rename(lease.userName, name);
    const before = bare.throttled();
    expect(await lease.deprovision()).toEqual({ result: 'absent' });
    expect(bare.throttled() - before).toBe(5);
    await rename(name, lease.userName);
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
  });

  test.each(['', 'AKIA', 'A'.repeat(129), 'AKIA/../../IDENTITY0', 'AKIA\nKEYKEYKEYKEY'])(
    'asks for no key where its history names %j',
    async (access_key_id) => {
      const lease = setting.aws.lease();
      for (const facts of [{}, { access_key_id }]) {
        expect(await lease.deprovision({ facts })).toEqual({ result: 'absent' });
      }
      expect(operations()).toEqual(['GetUser', 'GetUser']);
    },
  );

  test('touches nothing of another user whose key a history written by hand names', async () => {
    const [other, lease] = [setting.aws.lease(), setting.aws.lease()];
    const made = await other.provision();
    const { message } = await failureOf(() => lease.deprovision({ facts: { access_key_id: keyIdOf(made) } }));
    expect(message).toContain(other.userName);
    expect(await setting.keysOf(other.userName)).toEqual([keyIdOf(made)]);
    expect(await setting.tryBuckets(made)).toBe('ok');
    await other.deprovision();
  });
});
