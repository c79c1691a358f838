import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import { IntegrationError } from '../../activities/integrations/integration';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { filesUnder } from '../support/canaries';
import { eventually } from '../support/lab';
import type { Verb } from '../support/memory-provider';

const MAIN = join(__dirname, '../../dist/cli/main.js');
const STATICS = {
  GREETING: 'hello, static-canary',
  SHORT: 'x',
  /** More than what a file may hold where its size is limited below. */
  LONG: 'y'.repeat(3_000),
  HARD: `it's "$HOME" \`id\` \\n \\ static-canary\nsecond line\tand ünïcode ✓`,
  SLY: '{{ GREETING }} {{ $& \u001b[31mred',
  UNDER_SCORE: 'one',
  UNDER__SCORE: 'two',
};
/** What stands in each value that is worth hiding, and in nothing else. */
const CANARY = /canary/;

let lab: ApiLab;
/** Home, working directory and directory of temporary files of the commands. */
let ground: string;
let directory: string;

beforeAll(async () => {
  lab = await openApiLab({
    secrets: STATICS,
    integrations: {
      second: { type: 'memory', connection: { prefix: 'second' }, timings: { consistency_window: '0s' } },
    },
    dynamicSecrets: { OTHER: { integration: 'second', min_ttl: '1m', max_ttl: '2h', default_ttl: '30m' } },
    projects: { empty: { configs: { prd: {} } } },
  });
}, 60_000);

beforeEach(async () => {
  ground = await mkdtemp(join(tmpdir(), 'cli-secrets-'));
  directory = join(ground, 'work');
  for (const name of ['home', 'work', 'tmp']) await mkdir(join(ground, name));
});

afterEach(async () => {
  lab.provider.before = () => undefined;
  await revokeHeld();
  await rm(ground, { recursive: true });
});

afterAll(() => lab.close());

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Options {
  /** Of a shell, in which "$@" is the command. */
  readonly script?: string;
  readonly input?: string | Buffer;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** The real program, in a shell that does something with its output or its limits. */
function spawnSecrets(args: readonly string[], { script = 'exec "$@"', input }: Options): ChildProcess {
  const child = spawn('sh', ['-c', script, 'sh', process.execPath, MAIN, 'secrets', ...args], {
    cwd: directory,
    env: {
      PATH: process.env['PATH'],
      HOME: join(ground, 'home'),
      TMPDIR: join(ground, 'tmp'),
      LEASEHOLD_HOST: lab.url,
      LEASEHOLD_TOKEN: lab.tokens['ci'],
    },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(input);
  return child;
}

function start(args: readonly string[], options: Options = {}): Running {
  const child = spawnSecrets(args, options);
  const ended = Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]).then(
    ([stdout, stderr, [code]]) => ({ code: code as number | null, stdout, stderr }),
  );
  return { child, ended };
}

/** Runs it to its end. It says no value on standard error, and leaves none in any file but that one. */
async function run(
  args: readonly string[],
  { output, ...options }: Options & { output?: string } = {},
): Promise<Ended> {
  return innocent(await start(args, options).ended, output);
}

async function innocent(ended: Ended, output?: string): Promise<Ended> {
  expect(ended.stderr).not.toMatch(CANARY);
  expect(ended.stderr).not.toMatch(/^ {4}at /m);
  const files = await filesUnder(ground);
  const telling = await Promise.all(files.map(async (file) => CANARY.test(await readFile(file, 'utf8'))));
  expect(files.filter((file, index) => telling[index] && file !== join(directory, output ?? '.'))).toEqual([]);
  expect(await readdir(join(ground, 'home'))).toEqual([]);
  expect(await readdir(join(ground, 'tmp'))).toEqual([]);
  return ended;
}

/** Refused before anything was leased, in a line or two. */
async function refusal(args: readonly string[], options: Options = {}): Promise<string> {
  const before = lab.provider.calls.provision;
  const { code, stdout, stderr } = await run(args, options);
  expect({ code, stdout, leased: lab.provider.calls.provision - before }).toEqual({ code: 2, stdout: '', leased: 0 });
  expect(stderr.trimEnd().split('\n').length).toBeLessThan(3);
  return stderr;
}

async function nothingHeld(): Promise<void> {
  await eventually(async () => lab.provider.entities.size === 0, 'everything to be removed');
}

function provisions(): number {
  return lab.provider.calls.provision;
}

/** What is handed out of the leases that the provider holds. */
async function heldValues(): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const [name, { leaseId }] of lab.provider.entities) {
    const { expiresAt } = await lab.leases.get(leaseId!);
    const dynamicSecret = name.startsWith('second-') ? 'OTHER' : 'TOKEN';
    values[`${dynamicSecret}_TOKEN`] = `canary-${leaseId!}`;
    values[`${dynamicSecret}_LEASE_ID`] = leaseId!;
    values[`${dynamicSecret}_LEASE_EXPIRES_AT`] = expiresAt!.toISOString();
  }
  return values;
}

/** What a download must say, given what the provider holds. */
async function all(): Promise<Record<string, string>> {
  expect(lab.provider.entities.size).toBe(2);
  return { ...STATICS, ...(await heldValues()) };
}

async function revokeHeld(): Promise<void> {
  await Promise.all([...lab.provider.entities.values()].map(({ leaseId }) => lab.leases.revoke(leaseId!)));
  await nothingHeld();
}

/** Holds each provision of an integration up until it is told to go on. */
function holdUp(prefix: string): { readonly reached: Promise<void>; goOn(): void } {
  let goOn: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  const reached = new Promise<void>((resolve) => {
    lab.provider.before = async (verb: Verb, name) => {
      if (verb !== 'provision' || !name.startsWith(`${prefix}-`)) return;
      resolve();
      await gate;
    };
  });
  return {
    reached,
    goOn: () => {
      goOn();
    },
  };
}

describe('leasehold secrets', () => {
  test('lists names with values of which not even the length is told, and leases nothing', async () => {
    const before = provisions();
    const { code, stdout, stderr } = await run([]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/));
    expect(lines).toEqual([
      ['NAME', 'VALUE'],
      ...Object.keys(STATICS)
        .sort()
        .map((name) => [name, '********']),
      ['TOKEN', 'leased on demand, TTL 1s to 12h, default 30m'],
      ...['TOKEN', 'LEASE_ID', 'LEASE_EXPIRES_AT'].map((field) => [`TOKEN_${field}`, 'leased on demand with TOKEN']),
      ['OTHER', 'leased on demand, TTL 1m to 2h, default 30m'],
      ...['TOKEN', 'LEASE_ID', 'LEASE_EXPIRES_AT'].map((field) => [`OTHER_${field}`, 'leased on demand with OTHER']),
    ]);
    expect(stdout).not.toMatch(CANARY);
    expect(provisions()).toBe(before);
  });

  test('shows values with --plain, none of which moves the cursor of a terminal', async () => {
    const { stdout } = await run(['--plain']);
    expect(stdout).toMatch(/^GREETING +hello, static-canary$/m);
    expect(stdout).toMatch(/^SLY +\{\{ GREETING \}\} \{\{ \$& \\u\{1b\}\[31mred$/m);
    expect(stdout).not.toContain('\u001b');
  });

  test('prints JSON, with null for what is not shown', async () => {
    const masked: unknown = JSON.parse((await run(['--json'])).stdout);
    expect(masked).toEqual({
      project: 'backend',
      config: 'prd',
      secrets: Object.keys(STATICS)
        .sort()
        .map((name) => ({ name, value: null })),
      dynamic_secrets: [
        expect.objectContaining({ name: 'TOKEN', min_ttl_seconds: 1, max_ttl_seconds: 43_200 }),
        {
          name: 'OTHER',
          flat_names: ['OTHER_TOKEN', 'OTHER_LEASE_ID', 'OTHER_LEASE_EXPIRES_AT'],
          default_ttl_seconds: 1_800,
          min_ttl_seconds: 60,
          max_ttl_seconds: 7_200,
        },
      ],
    });
    const plain = JSON.parse((await run(['--json', '--plain'])).stdout) as {
      secrets: { name: string; value: string }[];
    };
    expect(Object.fromEntries(plain.secrets.map(({ name, value }) => [name, value]))).toEqual(STATICS);
  });

  test('takes the place and the options before or after the word of what it does', async () => {
    const place = ['--project', 'backend', '--config', 'prd'];
    const runs = [
      [...place, '--json', 'get', 'SHORT'],
      ['get', 'SHORT', ...place, '--json'],
    ].map((args) => run(args));
    for (const { stdout } of await Promise.all(runs)) expect(stdout).toBe('{"SHORT":"x"}\n');
    const { code } = await run(['--project', 'elsewhere', '--config', 'prd', 'get', 'SHORT']);
    expect(code).toBe(4);
    const nearer = await run(['--project', 'elsewhere', '--config', 'x', 'get', 'SHORT', ...place, '--json']);
    expect(nearer.stdout).toBe('{"SHORT":"x"}\n');
    expect(await refusal(['--plain', 'download', '--static-only'])).toMatch(/'--plain' has no meaning for 'download'/);
    expect(await refusal(['--json', 'substitute', '-'])).toMatch(/'--json' has no meaning for 'substitute'/);
  });
});

describe('leasehold secrets get', () => {
  test('prints bare values, a table or JSON', async () => {
    const [plain, both, table, json] = await Promise.all([
      run(['get', 'HARD', '--plain']),
      run(['get', 'SHORT', 'GREETING', '--plain']),
      run(['get', 'GREETING', 'HARD']),
      run(['get', 'HARD', 'SLY', '--json']),
    ]);
    expect(plain.stdout).toBe(`${STATICS.HARD}\n`);
    expect(both.stdout).toBe('x\nhello, static-canary\n');
    expect(table.stdout.split('\n').map((line) => line.slice(0, 10).trim())).toEqual(['NAME', 'GREETING', 'HARD', '']);
    expect(JSON.parse(json.stdout)).toEqual({ HARD: STATICS.HARD, SLY: STATICS.SLY });
  });

  test('has no value of what is dynamic, and says where there is one', async () => {
    expect(await refusal(['get', 'SHORT', 'TOKEN'])).toBe(
      'TOKEN is a dynamic secret, which has a value only while it is leased: use leasehold run or leasehold lease TOKEN.\n',
    );
    expect(await refusal(['get', 'OTHER_TOKEN', '--plain'])).toMatch(
      /^OTHER_TOKEN belongs to the dynamic secret OTHER, .* leasehold lease OTHER\.\n$/,
    );
  });

  test('refuses names that are not there, and prints nothing of the others', async () => {
    expect(await refusal(['get', 'SHORT', 'NOT_THERE', 'toString', '--json'])).toBe(
      'backend/prd has no secret "NOT_THERE", "toString", or the token may not see it: leasehold secrets lists what there is.\n',
    );
    expect(await refusal(['get'])).toMatch(/missing required argument/);
  });
});

describe('leasehold secrets download', () => {
  test('writes json and yaml that read back exactly, and says which leases end when', async () => {
    for (const [format, read] of [
      ['json', (written: string): unknown => JSON.parse(written)],
      ['yaml', (written: string): unknown => parse(written)],
    ] as const) {
      const { code, stdout, stderr } = await run(['download', '--format', format]);
      expect(code).toBe(0);
      const values = await all();
      expect(read(stdout)).toEqual(values);
      expect(Object.keys(read(stdout) as object)).toEqual(Object.keys(values).sort());
      const ends = [values['TOKEN_LEASE_EXPIRES_AT']!, values['OTHER_LEASE_EXPIRES_AT']!].sort();
      expect(stderr).toContain(`the first of which ends at ${ends[0]!}:`);
      expect(stderr).toContain(`TOKEN ${values['TOKEN_LEASE_ID']!}`);
      expect(stderr).toContain(`OTHER ${values['OTHER_LEASE_ID']!}`);
      await revokeHeld();
    }
  });

  test('writes env that a shell reads back exactly', async () => {
    const script = `file=$("$@") && eval "$file" && for name in HARD GREETING SLY TOKEN_TOKEN OTHER_LEASE_ID; do
      eval "printf '%s\\0' \\"\\$$name\\""; done`;
    const { code, stdout } = await run(['download', '--format', 'env'], { script });
    const { TOKEN_TOKEN: token, OTHER_LEASE_ID: id } = await all();
    expect({ code, values: stdout.split('\0') }).toEqual({
      code: 0,
      values: [STATICS.HARD, STATICS.GREETING, STATICS.SLY, token, id, ''],
    });
  });

  test('writes one line for each name where formats have no quotes', async () => {
    const only = ['--only-secrets', 'HARD,SHORT', '--static-only'];
    for (const format of ['docker', 'env-no-quotes']) {
      const { stdout } = await run(['download', '--format', format, ...only]);
      expect(stdout).toBe(`HARD=${STATICS.HARD.replaceAll('\n', '\\n')}\nSHORT=x\n`);
    }
  });

  test('turns names as asked, and for dotnet-json without being asked', async () => {
    const names = ['download', '--only-secrets', 'SHORT,TOKEN_TOKEN'];
    const dotnet = await run([...names, '--format', 'dotnet-json']);
    expect(Object.keys(JSON.parse(dotnet.stdout) as object)).toEqual([
      'Short',
      'TokenLeaseExpiresAt',
      'TokenLeaseId',
      'TokenToken',
    ]);
    const terraform = await run(['download', '--only-secrets', 'SHORT', '--name-transformer', 'tf-var']);
    expect(terraform.stdout).toBe('{"TF_VAR_short":"x"}\n');
    expect(await refusal(['download', '--name-transformer', 'camel'])).toBe(
      '--name-transformer: UNDER_SCORE and UNDER__SCORE would both be handed out as underScore: rename one of them.\n',
    );
  });

  test('leases what is named and nothing else', async () => {
    const before = provisions();
    const { stdout } = await run(['download', '--only-secrets', 'OTHER,SHORT', '--ttl', '5m']);
    expect(JSON.parse(stdout)).toEqual({ SHORT: 'x', ...(await heldValues()) });
    expect(provisions() - before).toBe(1);
    const end = new Date((await heldValues())['OTHER_LEASE_EXPIRES_AT']!).getTime();
    expect(Math.abs(end - Date.now() - 300_000)).toBeLessThan(30_000);
    const statics = await run(['download', '--static-only']);
    expect(statics).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(statics.stdout)).toEqual(STATICS);
    expect(provisions() - before).toBe(1);
  });

  test('refuses what cannot be done before anything is leased', async () => {
    expect(await refusal(['download', '--only-secrets', 'TOKEN,NOT_THERE'])).toMatch(/has no secret "NOT_THERE"/);
    expect(await refusal(['download', '--only-secrets', 'TOKEN_TOKEN', '--static-only'])).toMatch(/TOKEN is a dynamic/);
    expect(await refusal(['download', '--ttl', '30s'])).toBe(
      '--ttl, for OTHER: A TTL of 30s is not allowed: it must be from 1m to 2h. Nothing was leased.\n',
    );
    expect(
      await refusal(['download', '--only-secrets', 'TOKEN', '--format', 'env', '--name-transformer', 'lower-kebab']),
    ).toMatch(/^--name-transformer: a shell has no variable "[a-z-]+"\. /);
    for (const script of ['"$@" >&-', '"$@" > /dev/null'])
      expect(await refusal(['download'], { script })).toMatch(/^Standard output is closed .* Nothing was leased\.\n$/);
    expect(await refusal(['download', '--ttl', 'soon'])).toMatch(/^--ttl: "soon" is not a duration/);
    expect(await refusal(['download', '--format', 'toml'])).toMatch(/json/);
  });
});

describe('the output of leases', () => {
  test('is a file only when one is asked for, whole and for its owner alone, whatever the umask and its name', async () => {
    const names = ['secrets.json', 'with space,\n"quotes" and ünï✓'];
    const umasks = ['000', '777'];
    for (const [index, name] of names.entries()) {
      const script = `umask ${umasks[index]!}; exec "$@"`;
      const { code, stdout, stderr } = await run(['download', '--only-secrets', 'TOKEN', `--output=${name}`], {
        script,
        output: name,
      });
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
      expect(stderr).toContain(`${JSON.stringify(name)} holds leases`);
      const file = join(directory, name);
      expect((await lstat(file)).mode & 0o7777).toBe(0o600);
      const { TOKEN_LEASE_ID: id } = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
      expect(lab.provider.of(id!)).toHaveLength(1);
      expect(await readdir(directory)).toEqual([name]);
      await rm(file);
    }
  });

  test('replaces a file only by --force, and then leaves nothing of its mode', async () => {
    await writeFile(join(directory, 'there'), 'precious', { mode: 0o666 });
    const args = ['download', '--only-secrets', 'TOKEN', '--output', 'there'];
    expect(await refusal(args)).toBe('--output "there" is already there: --force replaces it.\n');
    expect(await readFile(join(directory, 'there'), 'utf8')).toBe('precious');
    expect(await run([...args, '--force'], { output: 'there' })).toMatchObject({ code: 0 });
    expect(JSON.parse(await readFile(join(directory, 'there'), 'utf8'))).toEqual(await heldValues());
    expect((await lstat(join(directory, 'there'))).mode & 0o7777).toBe(0o600);
  });

  test('is refused before anything is leased where no file can be', async () => {
    const output = (name: string): Promise<string> => refusal(['download', '--force', '--output', name]);
    expect(await output('nowhere/file')).toBe(
      '--output "nowhere/file" cannot be written (there is no such directory). Nothing was leased.\n',
    );
    expect(await output('/dev/full')).toMatch(/is no regular file/);
    expect(await readdir(directory)).toEqual([]);
  });

  test.each([
    ['standard output on a full disk', [], 'exec "$@" > /dev/full', /ENOSPC/],
    ['standard output over the limit of a file', [], 'ulimit -f 1; exec "$@" > cut', /EFBIG/],
    ['a file over its limit', ['--output', 'cut'], 'ulimit -f 1; exec "$@"', /EFBIG/],
    ['a reader that has gone', [], '{ "$@"; echo $? >&3; } 3>code | true; read code < code; exit "$code"', /EPIPE/],
  ])('is %s: then the leases are revoked and the code tells', async (_, more, script, reason) => {
    const before = provisions();
    const { code, stderr } = await run(['download', ...more], { script, output: 'cut' });
    expect(code).toBe(1);
    expect(stderr).toMatch(reason);
    expect(stderr).toContain('What was leased for it is being revoked.');
    expect(provisions() - before).toBe(2);
    await nothingHeld();
    expect((await readdir(directory)).filter((name) => name.startsWith('.'))).toEqual([]);
    if (more.length > 0) expect(await readdir(directory)).toEqual([]);
  });

  test('is none if one of the leases cannot be had: the others are revoked', async () => {
    lab.provider.before = (verb, name) => {
      if (verb !== 'provision' || !name.startsWith('second-')) return;
      throw new IntegrationError('Refused', { operation: 'provision', entity: 'second', hint: 'Not today.' });
    };
    const { code, stdout, stderr } = await run(['download', '--output', 'file']);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/^OTHER: .*None of the others was handed out either\.\n$/);
    await nothingHeld();
    expect(await readdir(directory)).toEqual([]);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('is none after %s while it is being leased', async (signal) => {
    const held = holdUp('second');
    const { child, ended } = start(['download', '--output', 'file']);
    await held.reached;
    await eventually(async () => lab.provider.entities.size === 1, 'the other one to be leased');
    child.kill(signal);
    held.goOn();
    const { code, stdout } = await innocent(await ended);
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    await nothingHeld();
    expect(await readdir(directory)).toEqual([]);
  });

  test('is not waited for for ever: a signal while nobody reads revokes the leases', async () => {
    await writeFile(join(directory, 'template'), '{{ TOKEN_TOKEN }}\n'.repeat(40_000));
    const child = spawnSecrets(['substitute', 'template'], {});
    const errors = text(child.stderr!);
    const ended = once(child, 'exit');
    await once(child.stdout!, 'readable');
    child.kill('SIGTERM');
    expect(await ended).toEqual([130, null]);
    child.stdout!.destroy();
    expect(await errors).toMatch(/could not be written .* is being revoked\.\n$/);
    await nothingHeld();
  });

  test('is not put over a file that has appeared meanwhile', async () => {
    const held = holdUp('lab');
    const { ended } = start(['download', '--only-secrets', 'TOKEN', '--output', 'file']);
    await held.reached;
    await writeFile(join(directory, 'file'), 'precious');
    held.goOn();
    const { code, stderr } = await innocent(await ended);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: '"file" could not be written (EEXIST). What was leased for it is being revoked.\n',
    });
    await nothingHeld();
    expect(await readdir(directory)).toEqual(['file']);
    expect(await readFile(join(directory, 'file'), 'utf8')).toBe('precious');
  });
});

describe('leasehold secrets substitute', () => {
  test('fills a template with values as they are, and leases only what it names', async () => {
    const before = provisions();
    const template = 'a: {{ SLY }}\r\nb: {{ tojson .HARD }}\nc: {{.OTHER_TOKEN}} {{ OTHER_TOKEN }} {{ "{{" }} }}';
    await writeFile(join(directory, 'my template'), template);
    const { code, stdout, stderr } = await run(['substitute', 'my template']);
    const { OTHER_TOKEN: token, OTHER_LEASE_ID: id } = await heldValues();
    expect(stdout).toBe(`a: ${STATICS.SLY}\r\nb: ${JSON.stringify(STATICS.HARD)}\nc: ${token!} ${token!} {{ }}`);
    expect(code).toBe(0);
    expect(stderr).toContain(`OTHER ${id!}`);
    expect(provisions() - before).toBe(1);
  });

  test('reads standard input, writes a file, and says nothing where nothing is leased', async () => {
    const input = 'x={{ GREETING }}';
    const ended = await run(['substitute', '-', '-o', 'app.conf'], { input, output: 'app.conf' });
    expect(ended).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await readFile(join(directory, 'app.conf'), 'utf8')).toBe('x=hello, static-canary');
    expect((await lstat(join(directory, 'app.conf'))).mode & 0o7777).toBe(0o600);
  });

  test('refuses a template with line and column before anything is leased', async () => {
    const refused = (input: string | Buffer): Promise<string> => refusal(['substitute', '-'], { input });
    expect(await refused('{{ TOKEN_TOKEN }}\nünï {{ NOT_THERE }}')).toBe(
      'The template, line 2, column 5: backend/prd has no secret "NOT_THERE".\n',
    );
    expect(await refused('{{ OTHER }}')).toMatch(
      /line 1, column 1: OTHER is a dynamic secret, write one of OTHER_TOKEN,/,
    );
    expect(await refused('{{ TOKEN_TOKEN }}\n\n  {{ if canary }}')).toMatch(/^The template, line 3, column 3: /);
    expect(await refused(Buffer.from([0xff, 0x00]))).toBe('The template "-" is no text in UTF-8.\n');
    expect(await refusal(['substitute', 'no\nfile'])).toBe('The template "no\\nfile" cannot be read (ENOENT).\n');
    expect(await refusal(['substitute', '.'])).toMatch(/EISDIR/);
  });
});
