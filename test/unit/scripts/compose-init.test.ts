import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { integrationTypes } from '../../../activities/integrations/registry';
import { verifyToken } from '../../../api/identity/token';
import { parseConfig } from '../../../config/load';
import { composeText, interpolate, readDotenv } from '../../support/compose';

const SCRIPT = join(__dirname, '../../../scripts/compose-init.mjs');
const PASSWORDS = [
  'POSTGRES_PASSWORD',
  'DEMO_POSTGRESQL_PASSWORD',
  'DEMO_POSTGRESQL_ADMIN_PASSWORD',
  'GRAFANA_PASSWORD',
];

let base: string;
let directory: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'leasehold-'));
  directory = join(base, 'empty');
  await mkdir(directory);
});

afterEach(async () => {
  await chmod(directory, 0o755).catch(() => undefined);
  await rm(base, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** From a working directory that has nothing to do with it, with a umask that would let everybody read. */
function init(args: readonly string[] = ['--directory', directory], umask = '000'): Promise<Ended> {
  const command = ['-c', `umask ${umask}; exec "$@"`, 'sh', process.execPath, SCRIPT, ...args];
  return new Promise((resolve) => {
    execFile('/bin/sh', command, { cwd: base }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

const read = (leaf: string): Promise<string> => readFile(join(directory, leaf), 'utf8');
const modeOf = async (leaf: string): Promise<string> => ((await stat(join(directory, leaf))).mode & 0o777).toString(8);
const variables = async (): Promise<Readonly<Record<string, string>>> => readDotenv(await read('.env'));

test('in an empty folder it writes all that the first start needs', async () => {
  const { code, stdout, stderr } = await init();
  expect(code).toBe(0);
  expect((await readdir(directory)).toSorted()).toEqual([
    '.env',
    'leasehold-api.env',
    'leasehold.env',
    'leasehold.yaml',
  ]);
  expect(await variables()).toEqual({
    ...Object.fromEntries(PASSWORDS.map((name) => [name, expect.stringMatching(/^[\w-]{32}$/)])),
    COMPOSE_FILE: 'temporal-compose.yml',
    COMPOSE_PROFILES: 'demo',
  });
  expect(() => interpolate(composeText(), {})).toThrow('has no value');
  const filled = interpolate(composeText(), await variables());
  for (const name of PASSWORDS) expect(filled).toContain((await variables())[name]);
  expect(stderr).toContain('docker compose up --build --detach --wait');
  expect(stdout).toMatch(/^export LEASEHOLD_HOST=http:\/\/127\.0\.0\.1:8400 LEASEHOLD_TOKEN=\S+\n$/);
});

test.each(['000', '022', '077'])(
  'with the umask %s passwords and secrets are readable for their owner alone',
  async (umask) => {
    await init(undefined, umask);
    for (const leaf of ['.env', 'leasehold.env', 'leasehold-api.env']) {
      expect([leaf, await modeOf(leaf)]).toEqual([leaf, '600']);
    }
    // The containers' user reads it; it holds no secret.
    expect(await modeOf('leasehold.yaml')).toBe('644');
  },
);

test.each<[string, string, string | null]>([
  ['a file', 'chmod o-r deploy/grafana/leasehold.json', 'deploy/grafana/leasehold.json'],
  ['a folder', 'chmod o-x deploy/prometheus', 'deploy/prometheus'],
  ['everything, as under the umask 077', 'chmod -R go-rwx .', 'deploy/compose'],
  ['nothing', 'true', null],
])('where the users of the containers cannot read %s that they have mounted it says so', async (_, spoil, named) => {
  const checkout = join(base, 'checkout');
  for (const leaf of ['deploy', 'scripts/compose-init.mjs']) {
    await cp(join(__dirname, '../../..', leaf), join(checkout, leaf), { recursive: true });
  }
  const shell = async (command: string): Promise<string> =>
    (await promisify(execFile)('/bin/sh', ['-c', command], { cwd: checkout })).stderr;
  const again = (): Promise<string> => shell(`'${process.execPath}' scripts/compose-init.mjs`);
  await shell(`chmod -R u=rwX,go=rX . && ${spoil}`);
  const said = await again();
  const command = /^ {2}(chmod .*)$/m.exec(said)?.[1];
  if (named === null) {
    expect(command).toBeUndefined();
    return;
  }
  expect(said).toContain(`(${named})`);
  await shell(command!);
  expect(await again()).not.toContain('chmod');
});

test('no two passwords are the same, and none is made twice', async () => {
  const made: string[] = [];
  for (let each = 0; each < 3; each += 1) {
    await init(['--directory', directory, '--force']);
    const all = await variables();
    made.push(...PASSWORDS.map((name) => all[name]!));
  }
  expect(made).toHaveLength(3 * PASSWORDS.length);
  expect(new Set(made).size).toBe(made.length);
  for (const password of made) expect(Buffer.from(password, 'base64url')).toHaveLength(24);
});

test('the token opens the API with the configuration that was made, which keeps a hash of it and nothing else', async () => {
  const { stdout, stderr } = await init();
  const token = /LEASEHOLD_TOKEN=(\S+)/.exec(stdout)![1]!;
  const text = await read('leasehold.yaml');
  const { access } = parseConfig(text, integrationTypes, 'leasehold.yaml');
  expect(verifyToken(token, access)).toMatchObject({ holder: 'token:first' });
  expect(verifyToken(`${token.slice(0, -1)}${token.endsWith('a') ? 'q' : 'a'}`, access)).toBeNull();
  for (const leaf of await readdir(directory)) expect(await read(leaf)).not.toContain(token);
  expect(stderr).not.toContain(token);
  for (const password of PASSWORDS) {
    expect(stdout + stderr).not.toContain((await variables())[password]);
  }
});

test('a second time it changes nothing, and says so', async () => {
  await init();
  const before = await Promise.all((await readdir(directory)).map(read));
  const { code, stdout, stderr } = await init();
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  expect(stderr).toMatch(/\.env has all that it needs; nothing was changed\./);
  expect(stderr).toMatch(/leasehold\.yaml is there already; nothing was changed\./);
  expect(await Promise.all((await readdir(directory)).map(read))).toEqual(before);
});

test('what an .env has is kept, what it lacks is added, and what others could read is closed', async () => {
  const mine = "# Mine.\nPOSTGRES_PASSWORD=long-since-in-a-volume\nGRAFANA_PASSWORD=''\nOTHER=1";
  await writeFile(join(directory, '.env'), mine, { mode: 0o644 });
  await writeFile(join(directory, 'leasehold.yaml'), 'version: 1\n');
  const { code, stdout, stderr } = await init();
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  expect(await read('.env')).toMatch(new RegExp(`^${mine}\n`));
  expect(await variables()).toMatchObject({
    POSTGRES_PASSWORD: 'long-since-in-a-volume',
    GRAFANA_PASSWORD: expect.stringMatching(/^[\w-]{32}$/),
    OTHER: '1',
    COMPOSE_PROFILES: '',
  });
  expect(stderr).toMatch(
    /was completed: DEMO_POSTGRESQL_PASSWORD, DEMO_POSTGRESQL_ADMIN_PASSWORD, GRAFANA_PASSWORD, COMPOSE_FILE, COMPOSE_PROFILES\./,
  );
  expect(await modeOf('.env')).toBe('600');
  expect(await read('leasehold.yaml')).toBe('version: 1\n');
});

test('an .env that lacks nothing but can be read by others is closed', async () => {
  await init();
  await chmod(join(directory, '.env'), 0o644);
  const before = await read('.env');
  expect((await init()).stderr).toContain('its mode is 0600 now');
  expect([await modeOf('.env'), await read('.env')]).toEqual(['600', before]);
});

test('--force makes new passwords, leaves the rest, and keeps each old file, for the volumes that still have its passwords', async () => {
  await init();
  await writeFile(join(directory, '.env'), `${await read('.env')}OTHER=1\n`);
  const files = [await read('.env')];
  for (const kept of ['.env.old', '.env.old.2']) {
    const { code, stderr } = await init(['--directory', directory, '--force']);
    expect(code).toBe(0);
    expect(stderr).toContain('Volumes that exist keep the old passwords');
    expect([await read(kept), await modeOf(kept)]).toEqual([files.at(-1), '600']);
    files.push(await read('.env'));
  }
  const all = files.map(readDotenv);
  for (const password of PASSWORDS) expect(new Set(all.map((each) => each[password])).size).toBe(3);
  for (const each of all) expect(each).toMatchObject({ OTHER: '1', COMPOSE_PROFILES: 'demo' });
  const lengths = files.map((file) => file.split('\n').length);
  expect(lengths).toEqual(lengths.map(() => lengths[0]));
});

test.each<[string, () => Promise<readonly string[]>, RegExp]>([
  [
    'an option that it does not know',
    async () => ['--forse'],
    /Unknown option '--forse'\. Allowed: --force, --directory/,
  ],
  ['a word', async () => ['now'], /Unexpected argument 'now'\. Allowed: --force, --directory/],
  [
    'a folder that is not there',
    async () => ['--directory', join(base, 'nowhere')],
    /nowhere", which is no folder: name one/,
  ],
  [
    'an .env that is a folder',
    async () => {
      await mkdir(join(directory, '.env'));
      return ['--directory', directory];
    },
    /\.env is a folder: move it away/,
  ],
  [
    'a leasehold.yaml that is a folder, as Docker makes one for what is missing',
    async () => {
      await mkdir(join(directory, 'leasehold.yaml'));
      return ['--directory', directory];
    },
    /leasehold\.yaml is a folder: move it away/,
  ],
])('%s is refused with a sentence, and nothing is written', async (_, prepare, sentence) => {
  const args = await prepare();
  const before = await readdir(directory);
  const { code, stdout, stderr } = await init(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(sentence);
  expect(stderr).toMatch(/^compose-init: [^\n]+\n$/);
  expect(await readdir(directory)).toEqual(before);
});
