import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { escapeIdentifier } from 'pg';
import { parse, parseAllDocuments } from 'yaml';
import { makeToken } from '../../api/identity/token';
import { projectRoot } from '../../dev/root';
import { deploymentId } from '../../temporal/deployment';
import { startApiProcess } from '../support/api-process';
import type { ApiProcess } from '../support/api-process';
import { openAwsAdmin } from '../support/aws-admin';
import type { AwsAdmin } from '../support/aws-admin';
import { eventually, openBaseLab, pause, QUICK_TIMINGS } from '../support/base-lab';
import type { BaseLab } from '../support/base-lab';
import { openIssuer } from '../support/issuer';
import type { Issuer } from '../support/issuer';
import { connectWith, DATABASE, openPostgresSetting, ORCHESTRATOR, OWNER, READERS } from '../support/postgres-setting';
import type { PostgresSetting } from '../support/postgres-setting';
import { provided } from '../support/stack';

const EXAMPLES = join(projectRoot(), 'examples');
/** Of leases that are to be replaced soon, with three seconds between that and the end, however busy the machine. */
const TTL = '9s';
const BRIEF = 'backend/brief';

interface Workflow {
  readonly name: string;
  readonly on: unknown;
  readonly env: Readonly<Record<string, string>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { readonly 'runs-on': string; readonly steps: readonly Step[] }>>;
}

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly with?: unknown;
  readonly run?: string;
}

interface Container {
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly restartPolicy?: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly startupProbe: { readonly exec: { readonly command: readonly string[] } };
}

interface Pod {
  readonly kind: string;
  readonly spec: {
    readonly initContainers: readonly Container[];
    readonly containers: readonly Container[];
    readonly volumes: readonly {
      readonly name: string;
      readonly projected?: {
        readonly sources: readonly { readonly serviceAccountToken: { readonly audience: string } }[];
      };
      readonly configMap?: { readonly name: string };
      readonly emptyDir?: { readonly medium: string };
    }[];
  };
}

interface Oidc {
  readonly audience: string;
  readonly rules: readonly { readonly claims: Readonly<Record<string, string>>; readonly scopes: readonly string[] }[];
}

let postgres: PostgresSetting;
let aws: AwsAdmin;
let lab: BaseLab;
let api: ApiProcess;
let deployment: string;
let workflow: Workflow;
let pod: Pod;
let github: Issuer;
let cluster: Issuer;
let token: string;
/** The examples of somebody who has copied them and installed what they need. */
let home: string;

const opened: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const [workflowText, podText] = await Promise.all(
    ['github-actions/deploy.yml', 'kubernetes-sidecar/pod.yaml'].map((path) => readFile(join(EXAMPLES, path), 'utf8')),
  );
  workflow = parse(workflowText!) as Workflow;
  pod = parseAllDocuments(podText!)
    .map((each) => each.toJS() as Pod)
    .find(({ kind }) => kind === 'Pod')!;
  const [forGithub, forCluster] = [headOf(workflowText!, 'github'), headOf(podText!, 'cluster')];
  [postgres, github, cluster] = await Promise.all([
    keep(openPostgresSetting(), (one) => one.close()),
    keep(openIssuer(forGithub.audience), (one) => one.close()),
    keep(openIssuer(forCluster.audience), (one) => one.close()),
  ]);
  aws = openAwsAdmin(provided().aws);
  opened.push(async () => {
    aws.close();
  });
  const made = makeToken('examples');
  token = made.token;
  const oidc = {
    github: { ...forGithub, issuer: github.url },
    cluster: {
      ...forCluster,
      issuer: cluster.url,
      rules: forCluster.rules.map((rule) => ({ ...rule, scopes: [BRIEF] })),
    },
  };
  const { accessKeyId, secretAccessKey } = provided().aws;
  const opening = openBaseLab({
    config: { ...configFile(), access: { tokens: { examples: { hash: made.hash, scopes: [BRIEF] } }, oidc } },
    environment: { LAB_PASSWORD: postgres.password, LAB_KEY_ID: accessKeyId, LAB_KEY: secretAccessKey },
  });
  lab = await keep(opening, (one) => one.close());
  const readers = escapeIdentifier(READERS);
  const table = `CREATE TABLE orders (id int); INSERT INTO orders VALUES (1), (2), (3); GRANT SELECT ON orders TO ${readers}`;
  await postgres.ask(table, DATABASE);
  [api, deployment, home] = await Promise.all([
    keep(startApiProcess(['--config', lab.configFile], lab.environment), (one) => one.stop()),
    deploymentId(lab.client.connection, lab.namespace),
    keep(copyExamples(), (one) => rm(one, { recursive: true, force: true })),
    lab.startWorker(),
  ]);
}, 60_000);

const running = new Set<Started>();

afterEach(async () => {
  await Promise.all([...running].map((each) => each.end()));
  await untilNothingIsHeld();
});

afterAll(async () => {
  for (const close of opened.toReversed()) await close();
});

/** To be closed when all is over, also where the beginning fails half-way. */
async function keep<T>(opening: Promise<T>, close: (one: T) => Promise<unknown>): Promise<T> {
  const one = await opening;
  opened.push(() => close(one));
  return one;
}

/** What the head of an example says that the configuration must have. */
function headOf(text: string, alias: string): Oidc {
  const [, block = ''] = /^#\n((?:# {3}.*\n)+)/m.exec(text) ?? [];
  const { access } = parse(block.replaceAll(/^# {3}/gm, '')) as { access: { oidc: Readonly<Record<string, Oidc>> } };
  return access.oidc[alias]!;
}

function configFile() {
  const shared = { limits: { calls_per_second: 1_000, provisions: 20, deprovisions: 20 }, timings: QUICK_TIMINGS };
  const policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' }],
  };
  const dynamicSecrets = (maxTtl: string) => {
    const ttls = { min_ttl: '1s', default_ttl: TTL, max_ttl: maxTtl };
    return {
      DATABASE: { integration: 'database', ...ttls, parameters: { roles: [READERS], owner: OWNER } },
      AWS: { integration: 'aws', ...ttls, parameters: { policy, usable_timeout: '5s' } },
    };
  };
  return {
    version: 1,
    integrations: {
      database: {
        type: 'postgresql',
        connection: {
          host: postgres.server.host,
          port: postgres.server.port,
          database: DATABASE,
          user: ORCHESTRATOR,
          password: 'env:LAB_PASSWORD',
          tls: { mode: 'disable' },
        },
        ...shared,
      },
      aws: {
        type: 'aws_iam',
        connection: {
          region: provided().aws.region,
          endpoint: provided().aws.url,
          credentials: { access_key_id: 'env:LAB_KEY_ID', secret_access_key: 'env:LAB_KEY' },
        },
        ...shared,
      },
    },
    projects: {
      backend: {
        configs: {
          prd: { dynamic_secrets: dynamicSecrets('1h') },
          brief: { dynamic_secrets: dynamicSecrets('10s') },
        },
      },
    },
  };
}

async function copyExamples(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-examples-'));
  await cp(EXAMPLES, directory, { recursive: true });
  const link = async (name: string, target: string): Promise<void> => {
    const path = join(directory, 'node_modules', name);
    await mkdir(dirname(path), { recursive: true });
    await symlink(target, path);
  };
  for (const name of ['express', 'pg', '@aws-sdk/client-s3']) {
    await link(name, join(projectRoot(), 'node_modules', name));
  }
  await link('leasehold', projectRoot());
  await mkdir(join(directory, 'bin'));
  const command = `#!/bin/sh\nexec '${process.execPath}' '${join(projectRoot(), 'dist/cli/main.js')}' "$@"\n`;
  await writeFile(join(directory, 'bin/leasehold'), command, { mode: 0o755 });
  return directory;
}

interface Started {
  /** On standard output and standard error. */
  said(): string;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<number | null>;
  hasEnded(): boolean;
  /** Ends it, and whatever it has left behind. */
  end(): Promise<void>;
}

function start(command: readonly string[], environment: Readonly<Record<string, string>>, directory = home): Started {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd: directory,
    env: {
      PATH: [join(home, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter),
      HOME: home,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...environment,
      LEASEHOLD_HOST: api.url,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const toAll = (name: NodeJS.Signals): void => {
    try {
      process.kill(-child.pid!, name);
    } catch {
      // None of them is left.
    }
  };
  const stopWithUs = (): void => {
    toAll('SIGKILL');
  };
  process.once('exit', stopWithUs);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const started: Started = {
    said: () => said,
    signal: (name) => void child.kill(name),
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    end: async () => {
      running.delete(started);
      child.kill('SIGTERM');
      await Promise.race([ended, pause(5_000)]);
      toAll('SIGKILL');
      await ended;
      process.removeListener('exit', stopWithUs);
    },
  };
  running.add(started);
  return started;
}

async function logins(): Promise<readonly string[]> {
  const sql = "SELECT rolname AS name FROM pg_roles WHERE rolname LIKE 'leasehold-%'";
  return (await postgres.ask<{ name: string }>(sql)).map(({ name }) => name);
}

const users = (): Promise<readonly string[]> => aws.usersLike(`-${deployment}-`);

async function untilNothingIsHeld(): Promise<void> {
  const isNothing = async (): Promise<boolean> => (await logins()).length === 0 && (await users()).length === 0;
  await eventually(isNothing, 'the providers to hold nothing');
}

const ACCESS = (): Readonly<Record<string, string>> => ({
  LEASEHOLD_TOKEN: token,
  LEASEHOLD_SCOPE: BRIEF,
  LEASE_TTL: TTL,
});

test('the Express app answers every request while its login is replaced, and gives it back when it stops', async () => {
  const app = start(['node', 'express-database/server.mjs'], { ...ACCESS(), PORT: '0' });
  await eventually(async () => app.said().includes('Listening'), 'the app to listen');
  const url = `http://127.0.0.1:${/Listening on port (\d+)/.exec(app.said())![1]!}`;
  const seen: string[] = [];
  const odd: unknown[] = [];
  let isAsking = true;
  // More than there are connections, so that some wait for one when the login changes.
  const askers = Array.from({ length: 40 }, async () => {
    while (isAsking) {
      const answer = await fetch(`${url}/orders`);
      const { role, orders } = (await answer.json().catch(() => ({}))) as { role?: string; orders?: number };
      if (role === undefined || orders !== 3) odd.push([answer.status, role, orders]);
      else if (!seen.includes(role)) seen.push(role);
    }
  });
  try {
    await eventually(async () => seen.length >= 2, 'the second login', 40_000);
    await eventually(async () => !(await logins()).includes(seen[0]!), 'the first login to be gone');
    const health = await fetch(`${url}/healthz`);
    expect(await health.json()).toEqual({ ok: true, login_until: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect(await logins()).toContain(seen.at(-1));
  } finally {
    isAsking = false;
    await Promise.all(askers);
  }
  expect(odd).toEqual([]);
  app.signal('SIGTERM');
  expect(await app.ended).toBe(0);
  expect(app.said()).toContain('The login is revoked.');
  expect(app.said()).not.toMatch(/could not be|was lost/);
  await untilNothingIsHeld();
}, 90_000);

test('the service goes on with another key before the one it has ends, and gives it back when it stops', async () => {
  const { url, region } = provided().aws;
  const place = { AWS_ENDPOINT_URL: url, AWS_REGION: region };
  const service = start(['node', 'keep-service/service.mjs'], { ...ACCESS(), ...place, EVERY_SECONDS: '0.1' });
  const keys = (): readonly string[] => [
    ...new Set([...service.said().matchAll(/^\d+ buckets, seen with the key (\S+)\.$/gm)].map(([, key]) => key!)),
  ];
  await eventually(async () => service.said().includes('buckets, seen'), 'the first call');
  const [first] = await users();
  await eventually(async () => keys().length >= 2, 'the second key', 40_000);
  await eventually(async () => !(await users()).includes(first!), 'the first user to be gone');
  const before = service.said().length;
  await eventually(async () => service.said().slice(before).split('buckets, seen').length > 3, 'more calls');
  expect(await users()).not.toEqual([]);
  expect(service.said()).not.toMatch(/could not be|no key/);
  service.signal('SIGTERM');
  expect(await service.ended).toBe(0);
  expect(service.said()).toContain('The key is revoked.');
  await untilNothingIsHeld();
}, 60_000);

test('the service says that its key was revoked by somebody else, and goes on with another one', async () => {
  const { url, region } = provided().aws;
  const place = { AWS_ENDPOINT_URL: url, AWS_REGION: region };
  const service = start(['node', 'keep-service/service.mjs'], { ...ACCESS(), ...place, EVERY_SECONDS: '0.1' });
  await eventually(async () => service.said().includes('buckets, seen'), 'the first call');
  for await (const { leaseId } of lab.leases.list({ live: true })) await lab.leases.revoke(leaseId, { wait: true });
  await eventually(async () => service.said().includes('could not be listed'), 'a call to fail');
  const before = service.said().length;
  await eventually(async () => service.said().slice(before).includes('buckets, seen'), 'a call to succeed again');
  service.signal('SIGTERM');
  expect(await service.ended).toBe(0);
}, 60_000);

describe('the workflow for GitHub Actions', () => {
  test('has only what GitHub knows, and asks for the right to have a token', () => {
    const known = {
      workflow: ['name', 'on', 'permissions', 'concurrency', 'env', 'jobs'],
      job: ['runs-on', 'timeout-minutes', 'steps'],
      step: ['name', 'uses', 'with', 'run'],
    };
    expect(known.workflow).toEqual(expect.arrayContaining(Object.keys(workflow)));
    expect(workflow.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
    for (const job of Object.values(workflow.jobs)) {
      expect(known.job).toEqual(expect.arrayContaining(Object.keys(job)));
      for (const step of job.steps) {
        expect(known.step).toEqual(expect.arrayContaining(Object.keys(step)));
        expect([step.run, step.uses].filter((each) => each !== undefined)).toHaveLength(1);
      }
    }
  });

  test('deploys on leases of its own, which end with the job', async () => {
    const scripts = workflow.jobs['deploy']!.steps.flatMap(({ run }) => (run === undefined ? [] : [run]));
    const [install, deploy] = scripts;
    expect(scripts).toHaveLength(2);
    expect(install).toMatch(/^npm install --global --ignore-scripts leasehold@\d+\.\d+\.\d+$/);
    const workspace = await mkdtemp(join(home, 'workspace-'));
    await writeFile(join(workspace, 'step.sh'), deploy!);
    await writeFile(
      join(workspace, 'deploy.sh'),
      '#!/bin/sh\necho "$DATABASE_USER $AWS_ACCESS_KEY_ID $LEASEHOLD_TOKEN_FILE" > seen\nuntil [ -e go ]; do sleep 0.1; done\n',
      { mode: 0o755 },
    );
    const runner = await openRunner();
    try {
      // As GitHub runs a step that names no shell.
      const step = start(['bash', '-e', 'step.sh'], { ...workflow.env, ...ofTheRun(runner, workspace) }, workspace);
      const seen = async (): Promise<string> => readFile(join(workspace, 'seen'), 'utf8').catch(() => '');
      await eventually(async () => (await seen()).endsWith('\n') || step.said() !== '', 'the deployment to run');
      expect(step.said()).toBe('');
      const [login, key, file] = (await seen()).trimEnd().split(' ');
      expect(await logins()).toEqual([login]);
      const [user] = await users();
      expect(await aws.keys(user!)).toEqual([key]);
      // What it may do it may do by its leases alone.
      expect(file).toBeUndefined();
      expect(await readdir(workspace)).toContain('leasehold-token');
      await writeFile(join(workspace, 'go'), '');
      expect(await step.ended).toBe(0);
      expect(await readdir(workspace)).not.toContain('leasehold-token');
      await untilNothingIsHeld();
    } finally {
      await runner.close();
    }
  }, 60_000);

  test.each([
    ['of the example', async () => workflow.jobs['deploy']!.steps.at(-1)!.run!],
    ['in docs/cli.md', () => stepOn('docs/cli.md', 'In CI')],
    ['in docs/access.md', () => stepOn('docs/access.md', 'GitHub Actions')],
  ])(
    'revokes what it leased when it is cancelled: the step %s',
    async (_, step) => {
      const workspace = await mkdtemp(join(home, 'workspace-'));
      await writeFile(join(workspace, 'step.sh'), await step());
      // One that takes its time to end, as deployments do.
      const script = `#!/bin/bash
trap 'touch told; until [ -e go ]; do sleep 0.1; done; exit 3' INT TERM
touch seen
while :; do sleep 0.1; done
`;
      for (const name of ['deploy', 'deploy.sh']) await writeFile(join(workspace, name), script, { mode: 0o755 });
      const has = async (name: string): Promise<boolean> => (await readdir(workspace)).includes(name);
      const runner = await openRunner();
      try {
        const running = start(
          ['bash', '-e', 'step.sh'],
          { ...workflow.env, ...ofTheRun(runner, workspace) },
          workspace,
        );
        await eventually(async () => (await has('seen')) || running.hasEnded(), 'the deployment to run');
        const leased: string[] = [];
        for await (const { leaseId } of lab.leases.list({ live: true })) leased.push(leaseId);
        expect(leased).toHaveLength(2);
        // The shell alone, as GitHub does, and not its children.
        running.signal('SIGINT');
        await eventually(() => has('told'), 'the deployment to be told');
        running.signal('SIGTERM');
        await writeFile(join(workspace, 'go'), '');
        expect(await running.ended).not.toBe(0);
        for (const id of leased) {
          expect(await lab.outcome(id)).toMatchObject({ state: 'revoked', reason: 'leasehold run has ended' });
        }
        await untilNothingIsHeld();
        expect((await readdir(workspace)).filter((name) => name.startsWith('leasehold-token'))).toEqual([]);
      } finally {
        await runner.close();
      }
    },
    60_000,
  );

  test('fails before it deploys where GitHub gives no token', async () => {
    const deploy = workflow.jobs['deploy']!.steps.at(-1)!.run!;
    const workspace = await mkdtemp(join(home, 'workspace-'));
    await writeFile(join(workspace, 'step.sh'), deploy);
    await writeFile(join(workspace, 'deploy.sh'), '#!/bin/sh\ntouch seen\n', { mode: 0o755 });
    const runner = await openRunner();
    try {
      const wrong = { ...ofTheRun(runner, workspace), ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-another-run' };
      expect(await start(['bash', '-e', 'step.sh'], { ...workflow.env, ...wrong }, workspace).ended).not.toBe(0);
      expect(await readdir(workspace)).not.toContain('seen');
    } finally {
      await runner.close();
    }
  });
});

/** The last step of the workflow under a heading of a page, with what our API is called by. */
async function stepOn(page: string, heading: string): Promise<string> {
  const text = await readFile(join(projectRoot(), page), 'utf8');
  const [, below = ''] = text.split(`\n### ${heading}\n`);
  const [block] = [...below.matchAll(/```yaml\n(.*?)```/gs)]
    .map(([, yaml]) => parse(yaml!) as { readonly steps?: readonly Step[] })
    .filter(({ steps }) => steps !== undefined);
  return block!.steps!.at(-1)!.run!.replace('audience=$LEASEHOLD_HOST', 'audience=$LEASEHOLD_AUDIENCE');
}

interface Runner {
  readonly url: string;
  close(): Promise<void>;
}

const ofTheRun = (runner: Runner, workspace: string): Readonly<Record<string, string>> => ({
  ACTIONS_ID_TOKEN_REQUEST_URL: `${runner.url}/token?api-version=2.0`,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-this-run',
  RUNNER_TEMP: workspace,
});

/** Gives a job its token, as GitHub does. */
async function openRunner(): Promise<Runner> {
  const claims = {
    sub: 'repo:example/backend:ref:refs/heads/main',
    repository: 'example/backend',
    ref: 'refs/heads/main',
  };
  const server = createServer((request, response) => {
    const isOurs = request.headers.authorization === 'Bearer of-this-run';
    const aud = new URL(request.url ?? '', 'http://runner').searchParams.get('audience');
    response.statusCode = isOurs ? 200 : 401;
    void (isOurs ? github.sign({ ...claims, aud }) : Promise.resolve(null)).then((value) =>
      response.end(JSON.stringify({ value })),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('the sidecar of the pod keeps a good login in the file, and gives it back when the pod ends', async () => {
  const [sidecar] = pod.spec.initContainers;
  expect(sidecar!.restartPolicy).toBe('Always');
  const volumes = new Map(pod.spec.volumes.map((each) => [each.name, each]));
  expect(volumes.get('credentials')!.emptyDir!.medium).toBe('Memory');
  expect(volumes.get('token')!.projected!.sources[0]!.serviceAccountToken.audience).toBe(cluster.audience);

  expect(volumes.get('authority')!.configMap).toEqual({ name: 'leasehold-ca' });

  const node = await mkdtemp(join(home, 'node-'));
  const mounts = new Map(sidecar!.volumeMounts.map(({ name, mountPath }) => [mountPath, join(node, name)]));
  await Promise.all([...mounts.values()].map((path) => mkdir(path)));
  const mounted = (text: string): string => {
    let there = text;
    for (const [path, here] of mounts) there = there.replaceAll(path, here);
    return there;
  };
  const account = { namespace: 'backend', serviceaccount: { name: 'orders' } };
  const claims = { sub: 'system:serviceaccount:backend:orders', 'kubernetes.io': account };
  await writeFile(join(node, 'token/token'), await cluster.sign(claims));
  await writeFile(join(node, 'authority/ca.crt'), rootCertificates[0]!);
  const environment = Object.fromEntries(sidecar!.env.map(({ name, value }) => [name, mounted(value)]));
  const command = [...sidecar!.command, ...sidecar!.args].map(mounted).map((word) => (word === '1h' ? TTL : word));
  const started = start(command, { ...environment, LEASEHOLD_SCOPE: BRIEF });

  const [probe, ...args] = sidecar!.startupProbe.exec.command.map(mounted);
  const isThere = (): Promise<boolean> =>
    new Promise((resolve) => {
      execFile(probe!, args, (error) => {
        resolve(error === null);
      });
    });
  await eventually(isThere, 'the file to be there');
  const app = pod.spec.containers[0]!.env.find(({ name }) => name === 'DATABASE_URL_FILE')!;
  const seen = new Set<string>();
  const connectOnce = async (): Promise<void> => {
    const client = await connectWith({ credential: { URL: await readFile(mounted(app.value), 'utf8') } });
    const { rows } = await client.query<{ role: string }>('SELECT current_user AS role FROM orders');
    await client.end();
    seen.add(rows[0]!.role);
  };
  const deadline = Date.now() + 40_000;
  while (seen.size < 2 && Date.now() < deadline) {
    await connectOnce().catch((error: unknown) => {
      throw new Error(`${String(error)}; the sidecar said: ${started.said()}`);
    });
    await pause(100);
  }
  const [first, second] = seen;
  await eventually(async () => !(await logins()).includes(first!), 'the first login to be gone');
  expect(await logins()).toContain(second);
  await connectOnce();
  expect(started.said()).not.toContain('extra certs');
  started.signal('SIGTERM');
  expect(await started.ended).toBe(128 + 15);
  await untilNothingIsHeld();
}, 90_000);
