import { randomBytes, randomUUID } from 'node:crypto';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { Client } from '@temporalio/client';
import { deploymentId } from '../../temporal/deployment';
import { eventually, REQUEST, useLab } from '../support/lab';
import type { Lab } from '../support/lab';
import { createNamespace } from '../support/namespace';
import { startProgram } from '../support/program';
import type { Ended, Program } from '../support/program';
import { provided } from '../support/stack';

// What a faulty provider repeats in every error, as AWS does with session tokens in signature errors.
const ECHOED = 'FwoGZXIvYXdzCANARYSESSIONTOKENxyz0123456789';
/** The emulator is shared with other tests: all users here live under a path of their own. */
const PATH = `/cli-${randomBytes(6).toString('hex')}/`;

let lab: Lab;
let iam: IAMClient;
const secrets = [ECHOED];
const undo: (() => Promise<unknown>)[] = [];

useLab(
  async (opened) => {
    lab = opened;
    const { url, region, accessKeyId, secretAccessKey } = provided().aws;
    iam = new IAMClient({ endpoint: url, region, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey } });
    secrets.push(secretAccessKey);
    await lab.startWorker();
  },
  { echo: ECHOED, connection: { path: PATH }, sweep: { grace: '0s' } },
);

afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act();
});

afterAll(() => {
  iam.destroy();
});

type Environment = Readonly<Record<string, string>>;

function start(args: readonly string[], environment: Environment = {}): Program {
  return startProgram('cli/main.js', args, {
    environment: { ...lab.environment, LEASEHOLD_CONFIG: lab.configFile, ...environment },
    directory: lab.directory,
  });
}

/** Runs it to its end. Whatever it says, it says no secret and no stack. */
async function run(args: readonly string[], environment: Environment = {}): Promise<Ended> {
  return innocent(await start(args, environment).ended);
}

function innocent(ended: Ended): Ended {
  const said = ended.stdout + ended.stderr;
  expect(secrets.filter((secret) => said.includes(secret))).toEqual([]);
  expect(said).not.toMatch(/^ {4}at /m);
  return ended;
}

interface ConfigText {
  integrations: Record<string, { connection: Record<string, unknown>; retired?: boolean }>;
  projects: Record<string, unknown>;
  alerts?: unknown;
}

/** The lab's configuration, changed, as a file of its own. */
async function configWith(change: (config: ConfigText) => void): Promise<string> {
  const config = JSON.parse(await readFile(lab.configFile, 'utf8')) as ConfigText;
  change(config);
  const file = join(lab.directory, `${randomUUID()}.yaml`);
  await writeFile(file, JSON.stringify(config));
  return file;
}

/** An orchestrator that may do everything with IAM but this. */
async function orchestratorWithout(actions: readonly string[]): Promise<Environment> {
  const UserName = `orchestrator-${randomBytes(6).toString('hex')}`;
  await iam.send(new CreateUserCommand({ UserName }));
  undo.push(() => iam.send(new DeleteUserCommand({ UserName })));
  const statements = [
    { Effect: 'Allow', Action: ['iam:*', 'sts:*'], Resource: '*' },
    { Effect: 'Deny', Action: actions, Resource: '*' },
  ];
  const policy = { UserName, PolicyName: 'orchestrate' };
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  await iam.send(new PutUserPolicyCommand({ ...policy, PolicyDocument }));
  undo.push(() => iam.send(new DeleteUserPolicyCommand(policy)));
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  undo.push(() => iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: key!.AccessKeyId })));
  secrets.push(key!.SecretAccessKey!);
  return { LAB_KEY_ID: key!.AccessKeyId!, LAB_KEY: key!.SecretAccessKey! };
}

/** A user as another installation left it, its time long past. */
async function leaveUser(deployment: string): Promise<string> {
  const leaseId = 'abcdefghijklmnopqrstuvwx';
  const UserName = `leasehold-${deployment}-${leaseId}`;
  const Tags = Object.entries({
    'managed-by': 'leasehold',
    'leasehold:deployment': deployment,
    'leasehold:lease': leaseId,
    'leasehold:expires-at': '2020-01-01T00:00:00.000Z',
  }).map(([Key, Value]) => ({ Key, Value }));
  await iam.send(new CreateUserCommand({ UserName, Path: PATH, Tags }));
  undo.push(() => iam.send(new DeleteUserCommand({ UserName })).catch(() => undefined));
  return UserName;
}

/** A lease that was terminated in Temporal, so that nobody but the sweep removes its user. */
async function leaveOrphan(): Promise<{ leaseId: string; userName: string }> {
  const { leaseId, credential } = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
  secrets.push(credential['SECRET_ACCESS_KEY']!);
  await lab.handle(leaseId).terminate();
  const [userName] = await lab.aws.usersLike(leaseId);
  return { leaseId, userName: userName! };
}

async function exists(userName: string): Promise<boolean> {
  return (await lab.aws.user(userName)) !== null;
}

/** Sweeps are begun by a schedule too, but not within the time of a test. */
async function untilNoSweepRuns(namespace: string): Promise<void> {
  const client = new Client({ connection: lab.client.connection, namespace });
  const query = 'WorkflowType = "sweep" AND ExecutionStatus = "Running"';
  await eventually(async () => (await client.workflow.count(query)).count === 0, 'no sweep to run any more');
}

describe('the command line', () => {
  test('helps on standard output, and refuses what it does not know with exit code 2 on standard error', async () => {
    for (const args of [
      ['--help'],
      ['help'],
      ['check', '--help'],
      ['sweep', '--help'],
      ['token', 'create', '--help'],
    ]) {
      expect(await run(args)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('Usage: leasehold'),
        stderr: '',
      });
    }
    const wrong: [string[], RegExp][] = [
      [[], /Usage: leasehold/],
      [['chekc'], /unknown command 'chekc'.*check/s],
      [['check', '--surprise'], /--surprise/],
      [['check', 'aws'], /too many arguments/],
      [['sweep', '--deployment'], /argument missing/],
      [['sweep', '--integrations', 'aws,'], /separated by commas/],
      [['sweep', '--config', 'missing.yaml'], /missing\.yaml.*--config/s],
      [['check', '--integrations', 'nope'], /no integration nope.*aws/],
      [['sweep', '--integrations', 'nope,aws'], /no integration nope.*aws/],
      [['token'], /Usage: leasehold token.*create/s],
      [['token', 'create'], /missing required argument 'name'/],
      [['token', 'create', 'ci', '--scopes', '*'], /unknown option '--scopes'/],
      [['token', 'create', 'ci'], /--scope is missing/],
    ];
    for (const [args, said] of wrong) {
      expect(await run(args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(said) });
    }
  }, 60_000);

  test('makes a token without Temporal and without a configuration', async () => {
    const environment = { TEMPORAL_ADDRESS: '127.0.0.1:1', LEASEHOLD_CONFIG: 'missing.yaml' };
    const { code, stdout, stderr } = await run(['token', 'create', 'ci', '--scope', 'backend/prd'], environment);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^lht\.ci\.[a-z2-7]{52}\n$/) });
    expect(stderr).toMatch(/^access:\n {2}tokens:\n {4}ci:\n {6}hash: sha256:[0-9a-f]{64}$/m);
  });

  test('ends quietly when nobody reads what it prints', async () => {
    const program = start(['check']);
    program.leave();
    expect(innocent(await program.ended)).toMatchObject({ code: 1, stderr: '' });
  });
});

describe('check', () => {
  test('tells that all is well: as whom, what is left, how long is remembered and what cannot be tried', async () => {
    const { code, stdout, stderr } = await run(['check']);
    expect(stdout).toMatch(/^ok +configuration: .*leasehold\.yaml is valid\.$/m);
    expect(stdout).toMatch(/^ok +integration aws: reachable as arn:aws:iam::[0-9]+:user\/leasehold-orchestrator\.$/m);
    expect(stdout).toMatch(/^ok +integration aws: [0-9]+ of [0-9]+ left: IAM users in the account\.$/m);
    expect(stdout).toMatch(/^note +integration aws: .*without making something: .*iam:CreateUser/m);
    const deployment = await deploymentId(lab.client.connection, lab.namespace);
    expect(stdout).toContain(`namespace ${lab.namespace} is ready; this installation is ${deployment}.`);
    expect(stdout).toMatch(/^note +Temporal: .*remembered for 1d, the retention/m);
    expect({ code, stderr, problems: stdout.includes('PROBLEM') }).toEqual({ code: 0, stderr: '', problems: false });
  });

  test('prints its findings as lines of JSON', async () => {
    const { code, stdout } = await run(['check', '--json'], { LAB_KEY: 'not-the-key' });
    const findings = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(code).toBe(1);
    expect(findings.map(({ subject }) => subject)).toEqual([
      'configuration',
      'integration aws',
      'Temporal',
      'Temporal',
      'workers',
    ]);
    expect(findings[1]).toEqual({ subject: 'integration aws', kind: 'problem', text: expect.any(String) });
  });

  test('names the rights that are missing', async () => {
    const environment = await orchestratorWithout(['iam:DeleteUser', 'iam:ListUsers']);
    const { code, stdout } = await run(['check'], environment);
    expect(stdout).toMatch(
      /^PROBLEM integration aws: rights are missing: iam:DeleteUser, iam:ListUsers\. Grant them\.$/m,
    );
    expect(code).toBe(1);
  });

  test.each([
    ['is not accepted', 'not-the-key', /PROBLEM integration aws: .*SignatureDoesNotMatch/],
    ['is not there', '', /PROBLEM integration aws: .*env:LAB_KEY/],
  ])('says so when the orchestrator’s key %s, and never which it was', async (_, key, said) => {
    const { code, stdout, stderr } = await run(['check'], { LAB_KEY: key });
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: expect.stringMatching(said), stderr: '' });
    expect(stdout).not.toContain('not-the-key');
    expect(stdout).toMatch(/^ok +Temporal/m);
  });

  test('says which provider cannot be reached, and asks the others all the same, or only those that are named', async () => {
    const file = await configWith(({ integrations }) => {
      const { aws } = integrations;
      integrations['away'] = { ...aws!, connection: { ...aws!.connection, endpoint: 'http://127.0.0.1:1' } };
    });
    const { code, stdout } = await run(['check', '--config', file]);
    expect(stdout).toMatch(/^ok +integration aws: reachable/m);
    expect(stdout).toMatch(/^PROBLEM integration away: .*got no usable answer/m);
    expect(code).toBe(1);
    const only = await run(['check', '--config', file, '--integrations', 'aws']);
    expect({ code: only.code, asked: only.stdout.includes('away') }).toEqual({ code: 0, asked: false });
  });

  test('says that Temporal cannot be reached, and how it is set', async () => {
    const { code, stdout } = await run(['check'], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(stdout).toMatch(/^ok +integration aws: reachable/m);
    expect(stdout).toMatch(/^PROBLEM Temporal: .*127\.0\.0\.1:1.*TEMPORAL_ADDRESS/m);
    expect(code).toBe(1);
  });

  test('gives the command that adds search attributes, and says which namespace is not there', async () => {
    const bare = `${lab.namespace}-bare`;
    const day = { seconds: 86_400 as never, nanos: 0 };
    const { workflowService } = lab.client.connection;
    await workflowService.registerNamespace({ namespace: bare, workflowExecutionRetentionPeriod: day });
    const lacking = await run(['check'], { TEMPORAL_NAMESPACE: bare });
    expect(lacking.stdout).toMatch(/^PROBLEM Temporal: .*lacks the search attributes/m);
    expect(lacking.stdout).toContain('temporal operator search-attribute create');
    const unknown = await run(['check'], { TEMPORAL_NAMESPACE: 'not-there' });
    expect(unknown.stdout).toMatch(/^PROBLEM Temporal: .*not-there.*TEMPORAL_NAMESPACE/m);
    expect([lacking.code, unknown.code]).toEqual([1, 1]);
  });

  test('says which task queues nobody serves, and which worker runs another configuration', async () => {
    const all = await run(['check']);
    expect(all.stdout).toMatch(/^ok +workers: every task queue is served; this configuration is [0-9a-f]{8}\.$/m);
    const file = await configWith(({ integrations }) => (integrations['idle'] = { ...integrations['aws']! }));
    const { code, stdout } = await run(['check', '--config', file]);
    expect(stdout).toMatch(/^PROBLEM workers: nobody serves idle\/provision, idle\/deprovision, idle\/upkeep\./m);
    expect(stdout).toMatch(
      /^note +workers: leasehold-worker\/[0-9]+@\S+ runs another configuration, [0-9a-f]{8}, than this one, [0-9a-f]{8}\.$/m,
    );
    expect(code).toBe(1);
    const only = await run(['check', '--config', file, '--integrations', 'aws']);
    expect({ code: only.code, named: only.stdout.includes('idle') }).toEqual({ code: 0, named: false });
  }, 60_000);

  test('says everything that is wrong with the configuration at once, and asks nobody', async () => {
    lab.proxy.forget();
    const file = join(lab.directory, 'bad.yaml');
    await writeFile(file, 'version: one\nintegrations: { aws: { type: azure } }\nsurprise: 1\n');
    const { code, stdout, stderr } = await run(['check', '--config', file]);
    for (const problem of [/version/, /azure|type/, /surprise/]) expect(stderr).toMatch(problem);
    expect({ code, stdout, calls: lab.proxy.calls }).toEqual({ code: 2, stdout: '', calls: [] });
  });

  test('notes the leases of a retired integration, and calls those of one that has left a problem', async () => {
    const lease = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    const retired = await configWith(({ integrations }) => (integrations['aws']!.retired = true));
    const gone = await configWith((config) => {
      config.integrations = {};
      config.projects = {};
    });
    await eventually(
      async () => (await run(['check', '--config', retired])).stdout.includes('is retired'),
      'the index to know the lease',
    );
    const noted = await run(['check', '--config', retired]);
    expect(noted.stdout).toMatch(/^note +integration aws: is retired and has 1 live lease: keep/m);
    expect(noted.code).toBe(0);
    const missed = await run(['check', '--config', gone]);
    expect(missed.stdout).toMatch(/^PROBLEM integration aws: is not in the configuration and has 1 live lease, which/m);
    expect(missed.code).toBe(1);
    await lease.revoke({ wait: true });
  }, 60_000);

  test('looks whether alerts could be sent, and sends none', async () => {
    const file = await configWith((config) => {
      config.alerts = { webhooks: [{ url: 'env:HOOK_URL', format: 'json', secret: 'env:HOOK_SECRET' }] };
    });
    const HOOK_URL = 'https://127.0.0.1:1/services/CANARYURL0123456789';
    const HOOK_SECRET = 'CANARYSECRET0123456789';
    secrets.push('CANARYURL0123456789', HOOK_SECRET);
    const good = await run(['check', '--config', file], { HOOK_URL, HOOK_SECRET });
    expect(good.stdout).toMatch(/^ok +alerts to webhook 1: /m);
    const none = await run(['check', '--config', file], { HOOK_URL });
    expect(none.stdout).toMatch(/^PROBLEM alerts to webhook 1: .*env:HOOK_SECRET/m);
    const short = await run(['check', '--config', file], { HOOK_URL, HOOK_SECRET: 'CANARYSECR' });
    expect(short.stdout).toMatch(/^PROBLEM alerts to webhook 1: .*secret cannot be used/m);
    expect([good.code, none.code, short.code]).toEqual([0, 1, 1]);
  });

  test('does not let a name steer the terminal', async () => {
    const plain = await configWith(() => undefined);
    const file = `${plain}\u001b[2J`;
    await copyFile(plain, file);
    const { code, stdout } = await run(['check', '--config', file]);
    expect({ code, lines: stdout.split('\n') }).toMatchObject({
      code: 0,
      lines: expect.arrayContaining([`ok      configuration: ${plain}\\u{1b}[2J is valid.`]),
    });
  });
});

describe('sweep', () => {
  test('says what it would remove, and removes what outlived its lease and nothing else', async () => {
    const live = await lab.leases.issue({ ...REQUEST, ttl: '10m' });
    const { leaseId, userName } = await leaveOrphan();
    const dry = await run(['sweep', '--dry-run']);
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toContain(`would remove ${userName}: The lease was terminated in Temporal`);
    expect(await exists(userName)).toBe(true);
    const { code, stdout, stderr } = await run(['sweep', '--integrations', 'aws', '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      integration: 'aws',
      dryRun: false,
      live: 1,
      removed: 1,
      removals: [{ entity: userName, leaseId, reason: 'closed' }],
    });
    expect(await exists(userName)).toBe(false);
    expect(await lab.aws.usersLike(live.leaseId)).toHaveLength(1);
    await live.revoke({ wait: true });
  }, 60_000);

  test('cleans up after another installation only when that is confirmed', async () => {
    const deployment = [...randomBytes(8)].map((byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte % 32]).join('');
    const userName = await leaveUser(deployment);
    const own = await deploymentId(lab.client.connection, lab.namespace);
    const refused: [string[], RegExp][] = [
      [['--deployment', deployment], /add --yes if that installation is gone/],
      [['--deployment', 'ABCDEFGH', '--yes'], /8 characters/],
      [['--deployment', deployment.slice(1), '--yes'], /8 characters/],
      [['--deployment', '', '--yes'], /8 characters/],
      [['--deployment', own, '--yes'], /is this installation itself/],
    ];
    for (const [args, said] of refused) {
      expect(await run(['sweep', ...args])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(said) });
    }
    const hint = await run(['sweep']);
    expect(hint.stdout).toContain(`leasehold sweep --integrations aws --deployment ${deployment}`);
    const dry = await run(['sweep', '--deployment', deployment, '--dry-run']);
    expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining(`would remove ${userName}`) });
    expect(await exists(userName)).toBe(true);
    const done = await run(['sweep', '--deployment', deployment, '--yes']);
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining(`removed ${userName}`), stderr: '' });
    expect(await exists(userName)).toBe(false);
  }, 60_000);

  test('says what could not be removed, with exit code 1', async () => {
    const { userName } = await leaveOrphan();
    lab.proxy.fault({ operation: 'DeleteUser', kind: 'error', status: 403, code: 'AccessDenied', times: 9 });
    const failed = await run(['sweep']);
    expect(failed).toMatchObject({ code: 1, stdout: expect.stringMatching(`failed ${userName}: .*AccessDenied`) });
    lab.proxy.clearFaults();
    expect((await run(['sweep'])).stdout).toContain(`removed ${userName}`);
  }, 60_000);

  test('tells at once that the provider does not answer, and goes on when it does', async () => {
    // For longer than from one look at the sweep to the next.
    lab.proxy.fault({ operation: 'ListUsers', kind: '500-before', times: 3 });
    const { code, stdout, stderr } = await run(['sweep']);
    expect(stderr).toMatch(/^The sweep of aws is tried again: ListUsers got no usable answer .*HTTP 500/);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('aws: 0 entities looked at') });
  }, 60_000);

  test('says that the provider refuses to list, with exit code 1', async () => {
    lab.proxy.fault({ operation: 'ListUsers', kind: 'error', status: 403, code: 'AccessDenied' });
    const { code, stdout, stderr } = await run(['sweep']);
    expect(stderr).toMatch(/^The sweep of aws was stopped\. ListUsers was not permitted .*AccessDenied/);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  }, 60_000);

  test('says that Temporal cannot be reached, with exit code 3', async () => {
    const { code, stdout, stderr } = await run(['sweep'], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect({ code, stdout, stderr }).toEqual({ code: 3, stdout: '', stderr: expect.stringMatching(/127\.0\.0\.1:1/) });
  });

  test('waits for no worker that is not there: it ends with a hint, and the sweep with it', async () => {
    const deserted = await createNamespace(lab.client.connection as never);
    const file = await configWith(({ integrations }) => {
      integrations['elsewhere'] = integrations['aws']!;
    });
    const [nobody, partly] = await Promise.all([
      run(['sweep'], { TEMPORAL_NAMESPACE: deserted }),
      run(['sweep', '--config', file]),
    ]);
    expect(nobody).toMatchObject({ code: 3, stdout: '' });
    expect(nobody.stderr).toMatch(/^No worker took up the sweep of aws within 30s.*serves the workflows/);
    expect(partly).toMatchObject({ code: 3, stdout: expect.stringContaining('aws: 0 entities looked at') });
    expect(partly.stderr).toMatch(/^No worker took up the sweep of elsewhere within 30s.*serves elsewhere in/);
    await untilNoSweepRuns(deserted);
    await untilNoSweepRuns(lab.namespace);
  }, 90_000);

  test('is called off by Ctrl-C', async () => {
    lab.proxy.fault({ operation: 'ListUsers', kind: 'hang' });
    lab.proxy.forget();
    const { userName } = await leaveOrphan();
    const program = start(['sweep']);
    await eventually(
      async () => lab.proxy.calls.some(({ operation }) => operation === 'ListUsers'),
      'the worker to list users',
    );
    program.signal('SIGINT');
    const { code, stdout, stderr } = innocent(await program.ended);
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toBe('The sweep of aws was called off. What it had removed stays removed.\n');
    await untilNoSweepRuns(lab.namespace);
    expect(await exists(userName)).toBe(true);
    expect((await run(['sweep'])).stdout).toContain(`removed ${userName}`);
  }, 60_000);
});
