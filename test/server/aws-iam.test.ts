import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteUserCommand,
  GetUserPolicyCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupsForUserCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import type { User } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { awsIam } from '../../activities/integrations/aws-iam/aws-iam';
import { DEPLOYMENT, EXPIRY, LIST_BUCKETS, until } from '../support/aws-lease';
import type { SessionCredentials } from '../support/aws-proxy';
import { openAwsSetting, REGION } from '../support/aws-setting';
import type { AwsSetting } from '../support/aws-setting';
import { createFakeFence } from '../support/fake-fence';
import { failureOf } from '../support/provider-failure';

const CANARY = 'FQoGZXIvYXdzEJr-canary-session-token';

/** The emulator is shared with other tests. */
const SUFFIX = randomUUID();
const GROUP = `readers-${SUFFIX}`;
const MANAGED = `leasable-${SUFFIX}`;
const ROLE = `leasehold-${SUFFIX}`;

// Other tests run at the same time.
jest.setTimeout(30_000);

let setting: AwsSetting;

beforeAll(async () => {
  setting = await openAwsSetting({ echo: CANARY, webIdentity: assumeRole });
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

const operations = () => setting.proxy.calls.map(({ operation }) => operation);
const tagsOf = (user: User | undefined): Record<string, string> =>
  Object.fromEntries(user!.Tags!.map(({ Key: key, Value: value }) => [key!, value!]));

/** What STS would do for a web identity. */
async function assumeRole(parameters: URLSearchParams): Promise<SessionCredentials> {
  const { accessKeyId, secretAccessKey, proxy } = setting;
  const sts = new STSClient({ endpoint: proxy.url, region: REGION, credentials: { accessKeyId, secretAccessKey } });
  const [arn, name] = [parameters.get('RoleArn')!, parameters.get('RoleSessionName')!];
  const { Credentials: session } = await sts.send(new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: name }));
  sts.destroy();
  return {
    accessKeyId: session!.AccessKeyId!,
    secretAccessKey: session!.SecretAccessKey!,
    sessionToken: session!.SessionToken!,
  };
}

describe('a lease of an IAM user', () => {
  test('is one user with its marks, its rights and one key, which works until the lease ends and is refused after', async () => {
    const lease = setting.aws.lease();
    const made = await lease.provision();
    const user = await setting.findUser(lease.userName);
    expect(user).toMatchObject({ UserName: `leasehold-${DEPLOYMENT}-${lease.leaseId}`, Path: '/leasehold/' });
    expect(tagsOf(user)).toEqual({
      'managed-by': 'leasehold',
      'leasehold:deployment': DEPLOYMENT,
      'leasehold:lease': lease.leaseId,
      'leasehold:expires-at': EXPIRY.toISOString(),
    });
    expect(made.facts).toEqual({
      arn: user!.Arn,
      user_name: lease.userName,
      access_key_id: made.credential['ACCESS_KEY_ID'],
    });
    expect(made.open).toEqual(['ACCESS_KEY_ID']);
    expect(Object.keys(made.credential)).toEqual(['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY']);
    expect(await setting.keysOf(lease.userName)).toEqual([made.credential['ACCESS_KEY_ID']]);
    expect(await setting.tryIdentity(made)).toBe('ok');
    expect(await setting.tryBuckets(made)).toBe('ok');

    expect(await lease.deprovision()).toEqual({ result: 'removed' });
    expect(await setting.findUser(lease.userName)).toBeUndefined();
    expect(await setting.tryIdentity(made)).toBe('InvalidClientTokenId');
    expect(await setting.tryBuckets(made)).toBe('InvalidAccessKeyId');
    expect(await lease.deprovision()).toEqual({ result: 'absent' });
  });

  test('has the policies, groups, path, prefix and boundary that were configured, tags and boundary from its first instant', async () => {
    const boundary = 'arn:aws:iam::123456789012:policy/lease-boundary';
    await setting.admin.send(
      new CreatePolicyCommand({
        PolicyName: MANAGED,
        PolicyDocument: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}',
      }),
    );
    const policyArns = ['arn:aws:iam::aws:policy/ReadOnlyAccess', `arn:aws:iam::123456789012:policy/${MANAGED}`];
    const parameters = awsIam.parameters.parse({
      policy: '{ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "s3:*", "Resource": "*" } }',
      policy_arns: policyArns,
      groups: [GROUP],
      wait_until_usable: false,
    });
    const aws = setting.open({ name_prefix: 'Team+1', path: '/a/b/', permissions_boundary: boundary });
    const lease = aws.lease(parameters);
    const { notes } = await lease.provision();

    const created = setting.proxy.calls.find(({ operation }) => operation === 'CreateUser')!.parameters;
    expect(created.get('PermissionsBoundary')).toBe(boundary);
    expect([...created.values()]).toEqual(expect.arrayContaining(['leasehold:lease', lease.leaseId]));
    expect(await setting.findUser(lease.userName)).toMatchObject({
      UserName: `Team+1-${DEPLOYMENT}-${lease.leaseId}`,
      Path: '/a/b/',
      PermissionsBoundary: { PermissionsBoundaryArn: boundary },
    });
    const named = { UserName: lease.userName };
    const inline = await setting.admin.send(new GetUserPolicyCommand({ ...named, PolicyName: 'leasehold' }));
    expect(decodeURIComponent(inline.PolicyDocument!)).toBe(
      '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}',
    );
    const attached = await setting.admin.send(new ListAttachedUserPoliciesCommand(named));
    expect(attached.AttachedPolicies!.map(({ PolicyArn: arn }) => arn).sort()).toEqual([...policyArns].sort());
    const groups = await setting.admin.send(new ListGroupsForUserCommand(named));
    expect(groups.Groups!.map(({ GroupName: name }) => name)).toEqual([GROUP]);
    expect(notes.join(' ')).not.toContain('AssumeRole');

    expect(await lease.deprovision()).toEqual({ result: 'removed' });
  });

  test('says which sessions may outlive it when no boundary is set', async () => {
    const lease = setting.aws.lease();
    const { notes } = await lease.provision();
    expect(notes.join(' ')).toContain('AssumeRole');
    await lease.deprovision();
  });

  test('does not go on with a user that an earlier attempt made under another boundary', async () => {
    const bounded = setting.open({ permissions_boundary: 'arn:aws:iam::123456789012:policy/lease-boundary' });
    const lease = setting.aws.lease();
    await lease.provision();
    const attempt = { leaseId: lease.leaseId, deployment: DEPLOYMENT, fence: createFakeFence(), deadline: EXPIRY };
    const { type, message } = await failureOf(() =>
      bounded.integration.provision(lease.handle, LIST_BUCKETS, EXPIRY, attempt),
    );
    expect(type).toBe('Refused');
    expect(message).toContain('another permissions boundary');
    expect(await bounded.integration.deprovision(lease.handle, attempt)).toEqual({ result: 'removed' });
  });

  test('ten at once are ten users with one working key each', async () => {
    const leases = Array.from({ length: 10 }, () => setting.aws.lease());
    const made = await Promise.all(leases.map((lease) => lease.provision()));
    expect(new Set(made.map(({ credential }) => credential['ACCESS_KEY_ID'])).size).toBe(10);
    for (const [index, lease] of leases.entries()) {
      expect(await setting.keysOf(lease.userName)).toEqual([made[index]!.credential['ACCESS_KEY_ID']]);
      expect(await setting.tryIdentity(made[index]!)).toBe('ok');
    }
    const removals = await Promise.all(leases.map((lease) => lease.deprovision()));
    expect(removals.every(({ result }) => result === 'removed')).toBe(true);
  });

  test('asks its rate before every call and its fence before every change, and before nothing else', async () => {
    const aws = setting.open({});
    const lease = aws.lease();
    const fence = createFakeFence();
    await lease.provision({ fence });
    await lease.deprovision({ fence });
    expect(aws.throttled()).toBe(operations().length);
    expect(fence.passed).toEqual(operations().filter((operation) => !/^(?:Get|List)/.test(operation)));
  });

  test('extended, carries the new expiry and nothing else new', async () => {
    const lease = setting.aws.lease();
    await lease.provision();
    const before = tagsOf(await setting.findUser(lease.userName));
    const later = new Date('2032-01-01T00:00:00.000Z');
    await lease.extend(later);
    const after = tagsOf(await setting.findUser(lease.userName));
    expect(after).toEqual({ ...before, 'leasehold:expires-at': later.toISOString() });
    await lease.deprovision();
    expect((await failureOf(() => lease.extend(later))).type).toBe('NotFound');
  });
});

describe('a new key', () => {
  const waiting = { ...LIST_BUCKETS, wait_until_usable: true };

  test('is handed over once AWS accepted it three times in a row', async () => {
    setting.proxy.fault({
      operation: 'GetCallerIdentity',
      kind: 'error',
      status: 403,
      code: 'InvalidClientTokenId',
      times: 2,
    });
    setting.proxy.fault({
      operation: 'GetCallerIdentity',
      kind: 'error',
      status: 403,
      code: 'InvalidClientTokenId',
      nth: 5,
    });
    const lease = setting.aws.lease(waiting);
    const { usableAt } = await lease.provision();
    expect(Math.abs(usableAt!.getTime() - Date.now())).toBeLessThan(1_000);
    const tried = setting.proxy.calls.filter(({ operation }) => operation === 'GetCallerIdentity');
    expect(tried.map(({ status }) => status)).toEqual([403, 403, 200, 200, 403, 200, 200, 200]);
    await lease.deprovision();
  });

  test.each([
    ['its own bound', { usable_timeout: 300 }, 20_000],
    ['the end of the attempt', { usable_timeout: 600_000 }, 1_000],
  ])('is handed over all the same when %s passes first, and is not made again', async (_, bound, withinMs) => {
    setting.proxy.fault({
      operation: 'GetCallerIdentity',
      kind: 'error',
      status: 403,
      code: 'InvalidClientTokenId',
      times: Infinity,
    });
    const lease = setting.aws.lease({ ...waiting, ...bound });
    const started = Date.now();
    const { usableAt, credential, notes } = await lease.provision({ withinMs });
    expect(usableAt).toBeNull();
    expect(Date.now() - started).toBeLessThan(5_000);
    expect(notes.join(' ')).toContain('not yet seen');
    expect(operations().filter((operation) => operation === 'CreateAccessKey')).toHaveLength(1);
    expect(await setting.keysOf(lease.userName)).toEqual([credential['ACCESS_KEY_ID']]);
    await lease.deprovision();
  });

  test('is not waited for any longer when the attempt is stopped', async () => {
    setting.proxy.fault({ operation: 'GetCallerIdentity', kind: 'hang' });
    const fence = createFakeFence();
    const stopped = new Error('cancelled');
    setting.proxy.setOnCall((operation) => {
      if (operation === 'GetCallerIdentity')
        setTimeout(() => {
          fence.abort(stopped);
        }, 20);
    });
    const lease = setting.aws.lease(waiting);
    await expect(lease.provision({ fence })).rejects.toBe(stopped);
    await lease.deprovision();
  });
});

describe('somebody else', () => {
  const foreign: [string, object][] = [
    ['without tags', { Tags: [] }],
    [
      'of another lease',
      {
        Tags: [
          { Key: 'leasehold:deployment', Value: DEPLOYMENT },
          { Key: 'leasehold:lease', Value: 'other' },
        ],
      },
    ],
    [
      'of another deployment',
      {
        Tags: [
          { Key: 'leasehold:deployment', Value: 'otherdep' },
          { Key: 'leasehold:lease', Value: 'LEASE' },
        ],
      },
    ],
    ['half-marked', { Tags: [{ Key: 'leasehold:lease', Value: 'LEASE' }] }],
    [
      'under another path',
      {
        Path: '/people/',
        Tags: [
          { Key: 'leasehold:deployment', Value: DEPLOYMENT },
          { Key: 'leasehold:lease', Value: 'LEASE' },
        ],
      },
    ],
  ];

  test.each(foreign)('who has the name, %s, is never touched', async (_, settings) => {
    const lease = setting.aws.lease();
    const written = JSON.stringify({ Path: '/leasehold/', ...settings }).replaceAll('LEASE', lease.leaseId);
    await setting.admin.send(new CreateUserCommand({ UserName: lease.userName, ...(JSON.parse(written) as object) }));
    const before = await setting.findUser(lease.userName);
    setting.proxy.forget();
    for (const act of [() => lease.provision(), () => lease.deprovision(), () => lease.extend(EXPIRY)]) {
      const { type, message } = await failureOf(act);
      expect(type).toBe('Refused');
      expect(message).toContain('was not touched');
    }
    expect(new Set(operations())).toEqual(new Set(['GetUser']));
    expect(await setting.findUser(lease.userName)).toEqual(before);
    await setting.admin.send(new DeleteUserCommand({ UserName: lease.userName }));
  });

  test("cannot have a handle used for another lease's removal", async () => {
    const [mine, other] = [setting.aws.lease(), setting.aws.lease()];
    await mine.provision();
    const attempt = { leaseId: other.leaseId, deployment: DEPLOYMENT, fence: createFakeFence(), deadline: EXPIRY };
    const { type } = await failureOf(() => setting.aws.integration.deprovision(mine.handle, attempt));
    expect(type).toBe('Refused');
    expect(await setting.findUser(mine.userName)).toBeDefined();
    await mine.deprovision();
  });
});

describe('bad parameters', () => {
  test.each([
    ['policy', { policy_arns: ['arn:aws:iam::123456789012:policy/no-such'] }, 'no-such'],
    ['group', { groups: ['no-such'] }, 'no-such'],
  ])(
    'naming a missing %s are refused as invalid, by name, and leave what removal clears',
    async (_, written, named) => {
      const lease = setting.aws.lease(awsIam.parameters.parse(written));
      const { type, message } = await failureOf(() => lease.provision());
      expect(type).toBe('InvalidInput');
      expect(message).toContain(named);
      expect(await lease.deprovision()).toEqual({ result: 'removed' });
    },
  );
});

describe("the provider's words", () => {
  test.each(['error', '500-before', '500-after', 'html-503', 'throttle', 'lost-answer'] as const)(
    'and credentials that it repeats are in no error (%s)',
    async (kind) => {
      for (const operation of ['GetUser', 'CreateUser', 'CreateAccessKey']) {
        const lease = setting.aws.lease();
        setting.proxy.clearFaults();
        setting.proxy.fault({ operation, kind, status: 403, code: 'SignatureDoesNotMatch' });
        const error = await failureOf(() => lease.provision());
        const all = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error) + error.stack!;
        expect(all).not.toContain('canary');
        expect(all).not.toContain(setting.secretAccessKey);
        expect(error.cause).toBeUndefined();
        expect(error.facts.operation).toBe(operation);
        await lease.deprovision();
      }
    },
  );

  test('about throttling are heard', async () => {
    setting.proxy.fault({ operation: 'CreateUser', kind: 'throttle', retryAfterSeconds: 7 });
    const error = await failureOf(() => setting.aws.lease().provision());
    expect(error).toMatchObject({ type: 'Throttled', facts: { retryAfterMs: 7_000, code: 'Throttling' } });
  });
});

describe('the orchestrator', () => {
  const role = `arn:aws:iam::123456789012:role/${ROLE}`;
  const allowAll = (resource: object) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...resource }] });

  beforeAll(async () => {
    const trust = allowAll({ Action: 'sts:AssumeRole', Principal: { AWS: '*' } });
    await setting.admin.send(new CreateRoleCommand({ RoleName: ROLE, AssumeRolePolicyDocument: trust }));
    const rights = allowAll({ Action: 'iam:*', Resource: '*' });
    await setting.admin.send(
      new PutRolePolicyCommand({ RoleName: ROLE, PolicyName: 'rights', PolicyDocument: rights }),
    );
  });

  async function expectLease(settings: object, secrets?: Record<string, string>): Promise<Set<string | null>> {
    const lease = setting.open(settings, secrets).lease();
    const made = await lease.provision();
    expect(await setting.keysOf(lease.userName)).toEqual([made.credential['ACCESS_KEY_ID']]);
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
    const ours = setting.proxy.calls.filter(({ operation }) => /^(?:CreateUser|DeleteUser)$/.test(operation));
    return new Set(ours.map(({ accessKeyId }) => accessKeyId));
  }

  test('works in a role, with an external id from a reference', async () => {
    const signers = await expectLease(
      {
        credentials: {
          access_key_id: 'env:KEY_ID',
          secret_access_key: 'env:KEY',
          assume_role: { role_arn: role, external_id: 'env:EXTERNAL', session_name: 'lh', duration_seconds: 900 },
        },
      },
      { 'env:KEY_ID': setting.accessKeyId, 'env:KEY': setting.secretAccessKey, 'env:EXTERNAL': 'ext-42' },
    );
    const assumed = setting.proxy.calls.filter(({ operation }) => operation === 'AssumeRole');
    expect(assumed).toHaveLength(1);
    expect(Object.fromEntries(assumed[0]!.parameters)).toMatchObject({
      RoleArn: role,
      ExternalId: 'ext-42',
      RoleSessionName: 'lh',
      DurationSeconds: '900',
    });
    expect([...signers].every((signer) => signer!.startsWith('ASIA'))).toBe(true);
  });

  test('takes a new role session when the one it holds is refused', async () => {
    const aws = setting.open({
      credentials: { access_key_id: 'env:KEY_ID', secret_access_key: 'env:KEY', assume_role: { role_arn: role } },
    });
    const lease = aws.lease();
    setting.proxy.fault({ operation: 'CreateUser', kind: 'error', status: 403, code: 'ExpiredToken' });
    const error = await failureOf(() => lease.provision());
    expect(error).toMatchObject({ type: 'Refused', facts: { code: expect.stringMatching(/^ExpiredToken/) as string } });
    await lease.provision();
    expect(operations().filter((operation) => operation === 'AssumeRole')).toHaveLength(2);
    await lease.deprovision();
  });

  test('takes a new role session when the one it holds was revoked, of which AWS says no more than that it denies', async () => {
    const aws = setting.open({
      credentials: { access_key_id: 'env:KEY_ID', secret_access_key: 'env:KEY', assume_role: { role_arn: role } },
    });
    const lease = aws.lease();
    await lease.provision();
    const revoked = setting.proxy.calls.at(-1)!.accessKeyId;
    const now = Date.now;
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + 61_000);
    try {
      setting.proxy.fault({ operation: 'DeleteUser', kind: 'error', status: 403, code: 'AccessDenied' });
      expect(await failureOf(() => lease.deprovision())).toMatchObject({ facts: { code: 'AccessDenied' } });
      await until(() => operations().filter((operation) => operation === 'AssumeRole').length === 2);
      expect(await lease.deprovision()).toMatchObject({ result: 'removed' });
    } finally {
      clock.mockRestore();
    }
    const last = setting.proxy.calls.filter(({ operation }) => operation === 'DeleteUser').at(-1)!;
    expect(last.accessKeyId).toMatch(/^ASIA/);
    expect(last.accessKeyId).not.toBe(revoked);
  });

  test('works with a web identity token from a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'leasehold-'));
    const file = join(folder, 'token');
    await writeFile(file, 'eyJhbGciOiJub25lIn0.e30.');
    const credentials = { web_identity: { role_arn: role, token_file: file } };
    const signers = await expectLease({ credentials });
    expect(operations()).toContain('AssumeRoleWithWebIdentity');
    expect([...signers].every((signer) => signer!.startsWith('ASIA'))).toBe(true);
    await rm(folder, { recursive: true });
  });

  test('works with a profile, and with the default chain', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'leasehold-'));
    const file = join(folder, 'credentials');
    const [id, key] = [setting.accessKeyId, setting.secretAccessKey];
    await writeFile(file, `[leases]\naws_access_key_id=${id}\naws_secret_access_key=${key}\n`);
    const environment = { ...process.env };
    process.env['AWS_SHARED_CREDENTIALS_FILE'] = file;
    try {
      expect(await expectLease({ credentials: { profile: 'leases' } })).toEqual(new Set([id]));
      process.env['AWS_ACCESS_KEY_ID'] = id;
      process.env['AWS_SECRET_ACCESS_KEY'] = key;
      expect(await expectLease({ credentials: {}, region: undefined })).toEqual(new Set([id]));
    } finally {
      process.env = environment;
      await rm(folder, { recursive: true });
    }
  });

  test('picks up a rotated reference with the next call, and says when there is none', async () => {
    const secrets: Record<string, string> = { 'env:KEY_ID': 'AKIAOLDOLDOLDOLDOLD1', 'env:KEY': 'old' };
    const lease = setting.open({}, secrets).lease();
    expect(await failureOf(() => lease.provision())).toMatchObject({
      type: 'Refused',
      message: expect.stringContaining("Check the orchestrator's credentials") as string,
    });
    secrets['env:KEY_ID'] = setting.accessKeyId;
    secrets['env:KEY'] = setting.secretAccessKey;
    await lease.provision();
    delete secrets['env:KEY'];
    const error = await failureOf(() => lease.deprovision());
    expect(error).toMatchObject({ type: 'Refused', message: expect.stringContaining('env:KEY ') as string });
    secrets['env:KEY'] = setting.secretAccessKey;
    expect(await lease.deprovision()).toEqual({ result: 'removed' });
  });

  test('without the right to create is told so at once', async () => {
    const lease = setting.aws.lease();
    const made = await lease.provision();
    const { ACCESS_KEY_ID: id, SECRET_ACCESS_KEY: key } = made.credential;
    const powerless = setting.open({}, { 'env:KEY_ID': id!, 'env:KEY': key! }).lease();
    expect(await failureOf(() => powerless.provision())).toMatchObject({
      type: 'Refused',
      facts: { code: 'AccessDenied' },
    });
    await lease.deprovision();
  });
});
