import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IntegrationError } from '../../activities/integrations/integration';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { openDopplerHome } from '../support/doppler';
import type { DopplerHome, Ran } from '../support/doppler';
import { eventually, pause } from '../support/lab';

const SECRETS = { GREETING: 'hello', TRICKY: 'a "quoted" $HOME `x` \\n\nsecond line' };
const SLOW = { issue_timeout: '40s', attempt_timeout: '30s', heartbeat_timeout: '5s', consistency_window: '0s' };
const SECOND = { integration: 'memory', min_ttl: '1s', max_ttl: '12h' };

let lab: ApiLab;
let home: DopplerHome;

beforeAll(async () => {
  lab = await openApiLab({
    secrets: SECRETS,
    dynamicSecrets: { SECOND },
    integration: { timings: SLOW },
    tokens: { expired: { scopes: ['backend/prd'], expires_at: '2020-01-01T00:00:00Z' } },
  });
  home = await openDopplerHome(lab.url, lab.tokens['ci']!);
}, 60_000);

afterEach(async () => {
  lab.provider.before = () => undefined;
  lab.provider.heal();
  for (const { leaseId } of lab.provider.entities.values()) await lab.leases.revoke(leaseId!);
  await nothingLeft();
});

afterAll(async () => {
  await home.close();
  const log = lab.apiLogs() + JSON.stringify(lab.audit);
  await lab.close();
  // Whatever the tests above did, no credential and no token was written down.
  expect(log).toContain('answered');
  expect(log).not.toContain('canary-');
  for (const token of Object.values(lab.tokens)) expect(log).not.toContain(token);
});

async function nothingLeft(): Promise<void> {
  await eventually(async () => lab.provider.entities.size === 0, 'nothing to be left at the provider');
}

function live(): string[] {
  return [...lab.provider.entities.values()].map(({ leaseId }) => leaseId!).sort();
}

function deliveries(): string[] {
  return lab.audit.filter(({ event }) => event === 'delivered').map(({ leaseId }) => leaseId!);
}

async function ok(...args: string[]): Promise<string> {
  const ran = await home.run(args);
  expect({ args, ...ran, stdout: '' }).toEqual({ args, code: 0, stdout: '', stderr: expect.any(String) });
  return ran.stdout;
}

async function refused(...args: string[]): Promise<Ran> {
  const ran = await home.run(args);
  expect({ args, code: ran.code }).toEqual({ args, code: 1 });
  return ran;
}

describe('run', () => {
  test('starts the program with static secrets and a fresh lease of each dynamic one', async () => {
    const before = deliveries().length;
    const environment = JSON.parse(
      await ok('run', '--no-fallback', '--', 'node', '-e', 'console.log(JSON.stringify(process.env))'),
    ) as Record<string, string>;
    expect(environment).toMatchObject(SECRETS);
    const { TOKEN_LEASE_ID: first, SECOND_LEASE_ID: second, TOKEN_TOKEN, TOKEN_LEASE_EXPIRES_AT } = environment;
    expect(TOKEN_TOKEN).toBe(`canary-${first}`);
    expect(live()).toEqual([first, second].sort());
    expect(deliveries().slice(before).sort()).toEqual(live());
    const { expiresAt, holder } = await lab.leases.get(first!);
    expect(TOKEN_LEASE_EXPIRES_AT).toBe(expiresAt!.toISOString());
    expect(holder).toBe('token:ci');
  });

  test('asks for the TTL that --dynamic-ttl says', async () => {
    await ok('run', '--no-fallback', '--dynamic-ttl', '15m', '--', 'true');
    for (const leaseId of live()) {
      const { expiresAt, requestedAt } = await lab.leases.get(leaseId);
      expect(Math.round((expiresAt!.getTime() - requestedAt.getTime()) / 60_000)).toBe(15);
    }
    expect(live()).toHaveLength(2);
  });

  test.each([
    ['env', `. "$DOPPLER_CLI_SECRETS_PATH"; printf %s "$TRICKY/$TOKEN_TOKEN"`],
    [
      'json',
      `node -p 'let s = JSON.parse(fs.readFileSync(process.env.DOPPLER_CLI_SECRETS_PATH)); s.TRICKY + "/" + s.TOKEN_TOKEN'`,
    ],
  ])('hands them to the program in a mounted .%s file', async (format, command) => {
    const shown = await ok('run', '--no-fallback', '--mount', `secrets.${format}`, '--command', command);
    expect(shown.trim()).toMatch(/^a "quoted" \$HOME `x` \\n\nsecond line\/canary-[a-z2-7]{24}$/);
  });

  test('leases only the dynamic secret of which --only-secrets names a part', async () => {
    const shown = await ok(
      'run',
      '--no-fallback',
      '--only-secrets',
      'TOKEN_TOKEN,GREETING',
      '--command',
      'echo "$TOKEN_TOKEN $GREETING $TRICKY"',
    );
    expect(shown.trim()).toMatch(/^canary-[a-z2-7]{24} hello$/);
    expect(live()).toHaveLength(1);
    await ok('run', '--no-fallback', '--only-secrets', 'TOKEN', '--command', 'test -n "$TOKEN_TOKEN"');
    const { stderr } = await refused('run', '--no-fallback', '--only-secrets', 'NOBODY', '--', 'true');
    expect(stderr).toContain('backend/prd has no secret "NOBODY".');
  });

  test('makes one lease, however often the command line asks for it, where the provider is slow', async () => {
    lab.provider.before = (verb) => (verb === 'provision' ? pause(12_000) : undefined);
    const before = lab.provider.calls.provision;
    const shown = await ok(
      'run',
      '--no-fallback',
      '--only-secrets',
      'TOKEN_TOKEN',
      '--command',
      'echo "$TOKEN_LEASE_ID"',
    );
    expect(live()).toEqual([shown.trim()]);
    expect(lab.provider.calls.provision - before).toBe(1);
  }, 60_000);

  test('leaves nothing where one of several cannot be issued, and says which and why', async () => {
    let failing = '';
    lab.provider.before = (verb, name) => {
      if (verb !== 'provision') return;
      failing ||= name;
      if (failing === name) throw new IntegrationError('Refused', { operation: 'make', entity: name });
    };
    const { stderr } = await refused('run', '--no-fallback', '--', 'true');
    expect(stderr).toMatch(/Doppler Error: (TOKEN|SECOND): .*make/);
    await nothingLeft();
  });

  test('revokes what was issued for a command line that is killed meanwhile', async () => {
    const already = lab.provider.calls.provision;
    lab.provider.before = (verb) => (verb === 'provision' ? pause(1_500) : undefined);
    const { child, ended } = home.start(['run', '--no-fallback', '--', 'true']);
    await eventually(async () => lab.provider.calls.provision === already + 2, 'the provider to be asked');
    child.kill('SIGKILL');
    await ended;
    await eventually(async () => live().length === 2, 'both to be made for nobody');
    const made = live();
    await nothingLeft();
    for (const leaseId of made) expect((await lab.outcome(leaseId)).reason).toBe('undelivered');
    expect(deliveries().filter((leaseId) => made.includes(leaseId))).toEqual([]);
  });

  test('never starts the program on an old file of dead credentials', async () => {
    await ok('run', '--', 'true');
    const saved = (): Promise<string[]> => readdir(join(home.directory, '..', 'config', 'fallback'));
    expect(await saved()).not.toHaveLength(0);
    lab.provider.fail('Refused', 'provision');
    const { stdout, stderr } = await refused('run', '--', 'echo', 'started');
    expect(stdout).not.toContain('started');
    expect(stderr).toContain('Doppler Error: ');
    expect((await saved()).filter((file) => file.startsWith('.secrets'))).toEqual([]);
  });

  test('shows why a TTL is refused', async () => {
    const { stderr } = await refused('run', '--no-fallback', '--dynamic-ttl', '13h', '--', 'true');
    expect(stderr).toContain('A TTL of 13h is not allowed: it must be from 1s to 12h.');
    expect((await refused('run', '--dynamic-ttl', '500ms', '--', 'true')).stderr).toContain(
      'dynamic_secrets_ttl_sec is',
    );
    expect((await refused('run', '--dynamic-ttl', '999999h', '--', 'true')).stderr).toContain(
      'dynamic_secrets_ttl_sec is',
    );
    expect(live()).toEqual([]);
  });
});

test('run --watch restarts the program once with a new lease before the old one ends', async () => {
  const { child, stdout, ended } = home.start([
    'run',
    '--no-fallback',
    '--watch',
    '--dynamic-ttl',
    '10s',
    '--only-secrets',
    'TOKEN_TOKEN',
    '--command',
    'echo "begun $TOKEN_LEASE_ID $TOKEN_LEASE_EXPIRES_AT"; exec sleep 60',
  ]);
  const begun = (): string[][] => [...stdout().matchAll(/begun (\S+) (\S+)/g)].map(([, id, end]) => [id!, end!]);
  await eventually(async () => begun().length === 2, 'the program to be restarted');
  const [[first, end], [second]] = begun() as [[string, string], [string, string]];
  expect(first).not.toBe(second);
  expect(Date.now()).toBeLessThan(Date.parse(end));
  expect(live()).toContain(second);
  child.kill('SIGTERM');
  await ended;
}, 60_000);

describe('secrets', () => {
  test('lists them without leasing anything', async () => {
    const shown = await ok('secrets');
    const listed = JSON.parse(await ok('secrets', '--json')) as Record<string, { computed: string | null }>;
    expect(listed['GREETING']!.computed).toBe('hello');
    expect(listed['TOKEN_TOKEN']!.computed).toBeNull();
    expect(shown).toContain('[RESTRICTED]');
    expect(await ok('secrets', '--only-names', '--json')).toBe('{"GREETING":{},"TRICKY":{}}\n');
    expect(live()).toEqual([]);
  });

  test('get shows a static one, and says why it shows no dynamic one', async () => {
    expect(await ok('secrets', 'get', 'TRICKY', '--plain')).toBe(`${SECRETS.TRICKY}\n`);
    expect((await refused('secrets', 'get', 'TOKEN_TOKEN', '--plain')).stderr).toContain('TOKEN is a dynamic secret');
    expect((await refused('secrets', 'get', 'NOBODY')).stderr).toContain('has no secret "NOBODY"');
  });

  test.each(['json', 'dotnet-json', 'env', 'yaml', 'docker', 'env-no-quotes'])('download writes %s', async (format) => {
    const shown = await ok('secrets', 'download', '--no-file', '--format', format, '--no-fallback');
    expect(shown).toMatch(/canary-[a-z2-7]{24}/);
    expect(live()).toHaveLength(2);
  });

  test('substitute fills a template with a fresh lease', async () => {
    await writeFile(join(home.directory, 'template'), '{{.GREETING}} {{.TOKEN_TOKEN}}');
    expect(await ok('secrets', 'substitute', 'template')).toMatch(/^hello canary-[a-z2-7]{24}/);
  });

  test('set and delete are told that values come from the configuration', async () => {
    expect((await refused('secrets', 'set', 'FOO=bar')).stderr).toContain('Nothing can be changed here');
    expect((await refused('secrets', 'delete', 'FOO', '-y')).stderr).toContain('Nothing can be changed here');
  });
});

test('me, projects, configs, environments and setup show what the token can see', async () => {
  expect(JSON.parse(await ok('me', '--json'))).toMatchObject({ name: 'token:ci', slug: 'token/ci' });
  expect(await ok('me')).toContain('token:ci');
  expect(JSON.parse(await ok('projects', '--json'))).toMatchObject([{ id: 'backend', name: 'backend' }]);
  expect(await ok('projects')).toContain('backend');
  expect(await ok('projects', 'get', 'backend')).toContain('backend');
  expect(JSON.parse(await ok('configs', '--json', '-p', 'backend'))).toMatchObject([
    { name: 'prd', project: 'backend' },
  ]);
  expect(await ok('configs', '-p', 'backend')).toContain('prd');
  expect(await ok('configs', 'get', 'prd', '-p', 'backend')).toContain('prd');
  expect(await ok('environments', '-p', 'backend')).toContain('prd');
  await ok('setup', '--no-interactive');
  expect((await refused('projects', 'create', 'new')).stderr).toContain('Nothing can be changed here');
});

test('a token that will not do is refused with the reason', async () => {
  for (const token of ['nonsense', lab.tokens['expired']!]) {
    const { code, stderr } = await home.run(['run', '--no-fallback', '--', 'true'], { DOPPLER_TOKEN: token });
    expect(code).toBe(1);
    expect(stderr).toContain('No valid token was sent');
  }
  expect((await refused('run', '--no-fallback', '-p', 'other', '-c', 'prd', '--', 'true')).stderr).toContain(
    'There is no config',
  );
});
