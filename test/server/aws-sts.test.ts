import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fromProcess } from '@aws-sdk/credential-providers';
import { awsSts } from '../../activities/integrations/aws-sts/aws-sts';
import { IntegrationError } from '../../activities/integrations/integration';
import type { Attempt, Integration } from '../../activities/integrations/integration';
import type { LeaseError } from '../../client/leases';
import { tryIdentity } from '../../dev/aws-calls';
import { openApiOverLab } from '../support/api-over-lab';
import type { ApiOverLab } from '../support/api-over-lab';
import { openAwsAdmin } from '../support/aws-admin';
import { startAwsProxy } from '../support/aws-proxy';
import type { AwsProxy } from '../support/aws-proxy';
import { eventually, openBaseLab, pause, QUICK_TIMINGS } from '../support/base-lab';
import type { BaseLab } from '../support/base-lab';
import { createFakeFence } from '../support/fake-fence';
import type { FakeFence } from '../support/fake-fence';
import { startProgram } from '../support/program';
import type { Ended } from '../support/program';
import { provided } from '../support/stack';

const SECRETS = {
  REPORTS: {
    integration: 'sts',
    default_ttl: '15m',
    min_ttl: '1m',
    max_ttl: '1d',
    parameters: { role_arn: 'arn:aws:iam::123456789012:role/reports' },
  },
  USER: { integration: 'iam', parameters: { policy_arns: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] } },
};

const ROLE = 'arn:aws:iam::123456789012:role/reports';
const REQUEST = { project: 'backend', config: 'prd', dynamicSecret: 'REPORTS', holder: 'tester' } as const;
const MINUTE = 60_000;
const TOKEN = 'a-token-that-is-not-to-be-seen';
const MARK = { deployment: 'testdepl', leaseId: 'abcdefghijklmnopqrstuvwx' };

let proxy: AwsProxy;

beforeAll(async () => {
  proxy = await startAwsProxy({ target: provided().aws.url });
});

afterAll(() => proxy.close());

beforeEach(() => {
  proxy.clearFaults();
  proxy.forget();
});

const place = () => ({ url: proxy.url, region: 'us-east-1' });
const requests = () => proxy.calls.filter(({ operation }) => operation === 'AssumeRole');

describe('a role session', () => {
  interface Opened {
    readonly integration: Integration<ReturnType<typeof parse>>;
    readonly throttled: () => number;
  }

  const parse = (parameters: object) => awsSts.parameters.parse({ role_arn: ROLE, ...parameters });

  function open(endpoint = proxy.url): Opened {
    const { accessKeyId, secretAccessKey } = provided().aws;
    const secrets: Record<string, string> = {
      'env:ID': accessKeyId,
      'env:KEY': secretAccessKey,
      'env:EXT': 'tenant-7',
    };
    const credentials = { access_key_id: 'env:ID', secret_access_key: 'env:KEY' };
    let throttled = 0;
    const integration = awsSts.connect(awsSts.connection.parse({ region: 'us-east-1', endpoint, credentials }), {
      resolveReference: (reference) => secrets[reference]!,
      throttle: async () => void (throttled += 1),
    });
    return { integration, throttled: () => throttled };
  }

  const planned = (parameters: object = {}, ttlMs = 60 * MINUTE) =>
    awsSts.plan(
      { ...MARK, integration: 'sts', ttlMs, issueTimeoutMs: MINUTE },
      awsSts.connection.parse({}),
      parse(parameters),
    );
  const attempt = (fence: FakeFence = createFakeFence()): Attempt => ({
    ...MARK,
    fence,
    deadline: new Date(Date.now() + 20_000),
  });
  const provision = ({ integration }: Opened, parameters: object = {}, fence?: FakeFence) =>
    integration.provision(planned(parameters).handle, parse(parameters), new Date(), attempt(fence));

  async function failureOf(act: Promise<unknown>): Promise<IntegrationError> {
    const error: unknown = await act.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(IntegrationError);
    return error as IntegrationError;
  }

  let opened: Opened;

  beforeAll(() => {
    opened = open();
  });

  afterAll(() => {
    opened.integration.close();
  });

  test('is asked for under its name and for its time, and is told to be one that cannot be recalled', async () => {
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };
    const arns = ['arn:aws:iam::aws:policy/ReadOnlyAccess'];
    const before = Date.now();
    const fence = createFakeFence();
    const made = await provision(
      opened,
      { policy, policy_arns: arns, external_id: 'env:EXT', tags: { team: 'a' } },
      fence,
    );
    const [{ parameters }] = requests() as [(typeof proxy.calls)[number]];
    expect(Object.fromEntries(parameters)).toMatchObject({
      RoleArn: ROLE,
      RoleSessionName: `leasehold-${MARK.deployment}-${MARK.leaseId}`,
      DurationSeconds: '3660',
      Policy: JSON.stringify(policy),
      'PolicyArns.member.1.arn': arns[0],
      ExternalId: 'tenant-7',
      'Tags.member.1.Key': 'team',
      'Tags.member.1.Value': 'a',
    });
    expect(fence.passed).toEqual(['AssumeRole']);
    expect(Object.keys(made.credential)).toEqual(awsSts.fields(parse({})));
    const endsAt = made.facts['session_ends_at']!;
    expect(Date.parse(endsAt)).toBeGreaterThanOrEqual(before + 3_659_000);
    expect(made.notes.join(' ')).toContain(`cannot be recalled before it ends by itself at ${endsAt}`);
    expect(JSON.stringify([made.facts, made.notes])).not.toContain(made.credential['SESSION_TOKEN']);
    expect(await tryIdentity(place(), made.credential)).toBe('ok');
    expect(await tryIdentity(place(), { ...made.credential, SESSION_TOKEN: 'another' })).not.toBe('ok');
  });

  test('is not asked for by an attempt that has lost its lease', async () => {
    const refused = createFakeFence();
    refused.refuseFrom(1);
    await expect(provision(opened, {}, refused)).rejects.toThrow('refused before AssumeRole');
    const expired = createFakeFence();
    expired.expireFrom(1);
    expect(await failureOf(provision(opened, {}, expired))).toMatchObject({ type: 'Unavailable' });
    expect(expired.withdrawn()).toBe(1);
    expect(requests()).toEqual([]);
  });

  test.each([
    ['AccessDenied', 403, 'Refused', 'trust policy'],
    ['ValidationError', 400, 'InvalidInput', '3660 s'],
    ['PackedPolicyTooLarge', 400, 'InvalidInput', 'shorten them'],
    ['RegionDisabledException', 403, 'InvalidInput', 'Activate STS'],
    ['ExpiredToken', 403, 'Refused', "orchestrator's credentials"],
    ['Throttling', 400, 'Throttled', ''],
  ])(
    'that AWS refuses with %s certainly was not made, and the failure says what to do',
    async (code, status, type, advice) => {
      proxy.fault({ kind: 'error', operation: 'AssumeRole', code, status });
      const fence = createFakeFence();
      const failure = await failureOf(provision(opened, {}, fence));
      expect(failure.type).toBe(type);
      expect(failure.message).toContain(advice);
      expect(fence.withdrawn()).toBe(1);
    },
  );

  test('longer than the role allows is refused, with its length', async () => {
    const strict = await startAwsProxy({ target: provided().aws.url, longestSession: 3_600 });
    const own = open(strict.url);
    const failure = await failureOf(provision(own));
    expect(failure).toMatchObject({ type: 'InvalidInput' });
    expect(failure.message).toContain("Raise the role's maximum session duration");
    own.integration.close();
    await strict.close();
  });

  test('may have been made when the answer was lost, and then is known to nobody', async () => {
    proxy.fault({ kind: 'lost-answer', operation: 'AssumeRole' });
    const fence = createFakeFence();
    expect(await failureOf(provision(opened, {}, fence))).toMatchObject({ type: 'Unavailable' });
    expect(fence.withdrawn()).toBe(0);
    const made = await provision(opened);
    expect(requests()).toHaveLength(2);
    expect(await tryIdentity(place(), made.credential)).toBe('ok');
  });

  test('is not made of another role than was planned', async () => {
    const handle = { ...planned().handle, roleArn: 'arn:aws:iam::123456789012:role/other' };
    const failure = await failureOf(opened.integration.provision(handle, parse({}), new Date(), attempt()));
    expect(failure.message).toContain('another role');
    expect(requests()).toEqual([]);
  });

  test('is neither extended, nor removed, nor listed: nothing is asked of AWS', async () => {
    const { handle } = planned();
    const { integration, throttled } = opened;
    const before = throttled();
    expect(await failureOf(integration.extend(handle, new Date(), attempt()))).toMatchObject({ type: 'Refused' });
    expect(await integration.deprovision(handle, attempt())).toMatchObject({ result: 'absent' });
    expect(await integration.list(null, AbortSignal.timeout(1_000))).toEqual({ entities: [], next: null });
    expect(await integration.readMarks(handle, AbortSignal.timeout(1_000))).toBeNull();
    expect(proxy.calls).toEqual([]);
    expect(throttled()).toBe(before);
  });

  test('is checked for as far as that makes none', async () => {
    const found = await opened.integration.check(AbortSignal.timeout(10_000));
    expect(found).toMatchObject({ missingRights: [], untriedRights: ['sts:AssumeRole'], quota: null });
    expect(found.identity).toContain('leasehold-orchestrator');
    expect(requests()).toEqual([]);
  });
});

describe('a lease of a role session', () => {
  let lab: BaseLab;

  beforeAll(async () => {
    const { accessKeyId, secretAccessKey } = provided().aws;
    const connection = {
      region: 'us-east-1',
      endpoint: proxy.url,
      credentials: { access_key_id: 'env:LAB_KEY_ID', secret_access_key: 'env:LAB_KEY' },
    };
    lab = await openBaseLab({
      config: {
        version: 1,
        integrations: {
          sts: { type: 'aws_sts', connection, timings: { ...QUICK_TIMINGS, stuck_after: '1s' } },
          iam: { type: 'aws_iam', connection },
        },
        projects: { backend: { configs: { prd: { dynamic_secrets: SECRETS } } } },
      },
      environment: { LAB_KEY_ID: accessKeyId, LAB_KEY: secretAccessKey },
    });
    await lab.startWorker();
  }, 60_000);

  afterAll(() => lab.close());

  const failureOf = (call: Promise<unknown>): Promise<LeaseError> =>
    call.then(
      () => Promise.reject(new Error('it succeeded')),
      (error: unknown) => error as LeaseError,
    );

  test('works, outlasts its lease, and after a revoke is being removed and not stuck, until its time is over', async () => {
    const lease = await lab.leases.issue(REQUEST);
    const admin = openAwsAdmin(provided().aws);
    expect(await admin.identity(lease.credential)).toBe('ok');
    expect(Date.parse(lease.facts['session_ends_at']!)).toBeGreaterThan(lease.expiresAt.getTime());

    expect(await lease.revoke()).toMatchObject({ state: 'accepted' });
    await lab.until(lease.leaseId, 'deprovisioning');
    await lab.untilFailing(lease.leaseId, 'because a role session cannot be recalled and ends by itself');
    // Longer than after what it would be called stuck.
    await pause(2_500);
    expect((await lab.view(lease.leaseId)).state).toBe('deprovisioning');
    expect(await admin.identity(lease.credential)).toBe('ok');
    await lab.handle(lease.leaseId).signal('nudge');
    await pause(500);
    expect((await lab.view(lease.leaseId)).state).toBe('deprovisioning');

    await lab.handle(lease.leaseId).signal('abandon', { by: 'tester', reason: 'the session ends by itself' });
    expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'abandoned', endedBy: 'tester' });
    admin.close();
  });

  test('is not extended, and its expiry stands', async () => {
    const lease = await lab.leases.issue(REQUEST);
    for (const ttl of ['20m', '1m']) {
      const failure = await failureOf(lease.extend(ttl));
      expect(failure).toMatchObject({ code: 'ExtensionLimit' });
      expect(failure.message).toContain('Issue a new one');
    }
    const view = await lab.view(lease.leaseId);
    expect(view).toMatchObject({ state: 'active', expiresAt: lease.expiresAt.toISOString() });
    await end(lease.leaseId);
  });

  test.each(['13m', '12h'])(
    'of %s is refused with the TTLs that AWS makes sessions for, and none is made',
    async (ttl) => {
      const failure = await failureOf(lab.leases.issue({ ...REQUEST, ttl }));
      expect(failure).toMatchObject({ code: 'InvalidTtl' });
      expect(failure.message).toContain('must be from 14m to 11h59m');
      expect(requests()).toEqual([]);
    },
  );

  test('that AWS refuses fails at once: there is nothing to wait for', async () => {
    proxy.fault({ kind: 'error', operation: 'AssumeRole', code: 'AccessDenied', status: 403 });
    const failure = await failureOf(lab.leases.issue(REQUEST));
    expect(failure).toMatchObject({ code: 'Refused' });
    expect(await lab.outcome(failure.leaseId!)).toMatchObject({ state: 'failed' });
  });

  async function end(leaseId: string): Promise<void> {
    await lab.leases.revoke(leaseId);
    await lab.until(leaseId, 'deprovisioning');
    await lab.handle(leaseId).signal('abandon');
    await lab.outcome(leaseId);
  }

  describe('printed by leasehold credential-process', () => {
    let api: ApiOverLab;
    const environment = () => ({ LEASEHOLD_HOST: api.url, LEASEHOLD_TOKEN: TOKEN });
    const ARGUMENTS = ['--project', 'backend', '--config', 'prd'];

    beforeAll(async () => {
      api = await openApiOverLab(lab);
    });

    afterAll(() => api.close());

    async function run(args: readonly string[], own: Readonly<Record<string, string>> = environment()): Promise<Ended> {
      const program = startProgram('cli/main.js', ['credential-process', ...args], {
        environment: own,
        directory: lab.directory,
      });
      const ended = await program.ended;
      expect(ended.stdout + ended.stderr).not.toContain(TOKEN);
      return ended;
    }

    async function leases(): Promise<string[]> {
      const ids: string[] = [];
      for await (const { workflowId } of lab.client.workflow.list({ query: 'WorkflowType = "lease"' }))
        ids.push(workflowId);
      return ids;
    }

    test('is what AWS programs expect of a credential_process, and ends for them with its lease', async () => {
      const { code, stdout, stderr } = await run(['REPORTS', ...ARGUMENTS, '--ttl', '20m']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const printed = JSON.parse(stdout) as Record<string, string>;
      expect(Object.keys(printed)).toEqual(['Version', 'AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration']);
      expect(printed['Version']).toBe(1);
      const left = Date.parse(printed['Expiration']!) - Date.now();
      expect(left).toBeLessThanOrEqual(20 * MINUTE);
      expect(left).toBeGreaterThan(19 * MINUTE);
      const credential = {
        ACCESS_KEY_ID: printed['AccessKeyId']!,
        SECRET_ACCESS_KEY: printed['SecretAccessKey']!,
        SESSION_TOKEN: printed['SessionToken']!,
      };
      expect(await tryIdentity(place(), credential)).toBe('ok');
    });

    test("is read by AWS's own SDK from a profile", async () => {
      const main = join(__dirname, '../../dist/cli/main.js');
      const set = Object.entries(environment()).map(([name, value]) => `${name}=${value}`);
      const command = ['env', ...set, process.execPath, main, 'credential-process', 'REPORTS', ...ARGUMENTS];
      const file = join(lab.directory, 'aws-config');
      await writeFile(file, `[profile leased]\ncredential_process = ${command.join(' ')}\n`);
      const profile = { profile: 'leased', configFilepath: file, filepath: file };
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await fromProcess(profile)();
      expect(expiration!.getTime()).toBeGreaterThan(Date.now() + 14 * MINUTE);
      const credential = {
        ACCESS_KEY_ID: accessKeyId,
        SECRET_ACCESS_KEY: secretAccessKey,
        SESSION_TOKEN: sessionToken!,
      };
      expect(await tryIdentity(place(), credential)).toBe('ok');
    });

    test('is refused for an IAM user before one is made', async () => {
      const before = (await leases()).length;
      const { code, stdout, stderr } = await run(['USER', ...ARGUMENTS]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^USER yields no SESSION_TOKEN, and nothing was made\. .*another IAM user\.\n$/);
      expect(proxy.calls).toEqual([]);
      expect(await leases()).toHaveLength(before);
    });

    test.each([
      [
        'a dynamic secret that is not there',
        ['NOTHING'],
        {},
        2,
        'There is no dynamic secret "NOTHING" in "backend/prd"',
      ],
      ['a TTL that is none', ['REPORTS', '--ttl', 'soon'], {}, 2, '--ttl: "soon" is not a duration'],
      ['a TTL that AWS makes no session for', ['REPORTS', '--ttl', '2m'], {}, 4, 'must be from 14m to 11h59m'],
      ['no token', ['REPORTS'], { LEASEHOLD_TOKEN: '' }, 5, 'LEASEHOLD_TOKEN is missing'],
      ['no address', ['REPORTS'], { LEASEHOLD_HOST: 'nowhere' }, 2, 'LEASEHOLD_HOST must be the address'],
    ])('is nothing with %s, and one line says why', async (_, args, own, expected, sentence) => {
      const { code, stdout, stderr } = await run([...args, ...ARGUMENTS], { ...environment(), ...own });
      expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
      expect(stderr).toContain(sentence);
      expect(stderr.trimEnd()).not.toContain('\n');
      expect(requests()).toEqual([]);
    });

    test.each(['SIGINT', 'SIGTERM'] as const)('is nothing after a %s, and its lease is given up', async (name) => {
      const before = await leases();
      proxy.fault({ kind: 'hang', operation: 'AssumeRole' });
      const program = startProgram('cli/main.js', ['credential-process', 'REPORTS', ...ARGUMENTS], {
        environment: environment(),
        directory: lab.directory,
      });
      await eventually(() => Promise.resolve(requests().length > 0), 'the session to be asked for');
      program.signal(name);
      const { code, stdout, stderr } = await program.ended;
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
      expect(stderr.trimEnd()).not.toContain('\n');
      const [id] = (await leases()).filter((each) => !before.includes(each));
      await lab.until(id!, 'deprovisioning');
      expect(await lab.view(id!)).toMatchObject({ failure: null, delivered: false, endedBy: expect.any(String) });
      await lab.handle(id!).signal('abandon');
      await lab.outcome(id!);
    });

    test('is nothing when nobody is there', async () => {
      const gone = createServer().listen(0, '127.0.0.1');
      await once(gone, 'listening');
      const { port } = gone.address() as AddressInfo;
      await new Promise((resolve) => gone.close(resolve));
      const { code, stdout, stderr } = await run(['REPORTS', ...ARGUMENTS], {
        ...environment(),
        LEASEHOLD_HOST: `http://127.0.0.1:${port}`,
      });
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toMatch(/^The Leasehold API at .* cannot be reached \(ECONNREFUSED\)\.\n$/);
    });
  });
});
