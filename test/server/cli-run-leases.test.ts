import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { IntegrationError } from '../../activities/integrations/integration';
import { liftBlock, placeBlock } from '../../temporal/blocks';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { filesUnder } from '../support/canaries';
import { eventually, pause } from '../support/lab';
import { startProgram } from '../support/program';
import type { Ended, Program } from '../support/program';
import { openTcpGate } from '../support/tcp-gate';

let lab: ApiLab;

beforeAll(async () => {
  const capped = { integration: 'memory', min_ttl: '1s', default_ttl: '3s', max_ttl: '3s' };
  lab = await openApiLab({
    secrets: { GREETING: 'good day', SHADE: 'from the config' },
    dynamicSecret: { default_ttl: '1m' },
    integrations: {
      other: { type: 'memory', connection: { prefix: 'other' }, limits: { calls_per_second: 1_000 } },
    },
    projects: {
      capped: { configs: { prd: { dynamic_secrets: { ONE: capped, TWO: capped } } } },
      duo: {
        configs: { prd: { dynamic_secrets: { GOOD: { ...capped, max_ttl: '1h' }, BAD: { integration: 'other' } } } },
      },
      odd: { configs: { prd: { secrets: { PATH: '/nowhere', LD_PRELOAD: '/nowhere.so', PLAIN: 'x' } } } },
    },
    tokens: { runner: { scopes: ['*'] } },
  });
}, 60_000);

const directories: string[] = [];

afterEach(async () => {
  lab.provider.before = () => undefined;
  await eventually(async () => lab.provider.entities.size === 0, 'everything to be removed');
  for (const directory of directories.splice(0)) {
    // A leased value is in no file, whatever was run.
    for (const file of await filesUnder(directory)) expect(await readFile(file, 'latin1')).not.toContain('canary-');
    await rm(directory, { recursive: true, force: true });
  }
});

afterAll(() => lab.close());

interface Run extends Program {
  readonly directory: string;
  /** Lines of a file that the program has written in its working directory. */
  lines(file: string): Promise<readonly string[]>;
}

interface Choice {
  readonly project?: string;
  readonly url?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a shell script below `leasehold run`. All that is written to a home or for a time lies in one directory. */
async function run(options: readonly string[], script: string, choice: Choice = {}): Promise<Run> {
  const directory = await mkdtemp(join(tmpdir(), 'leasehold-run-'));
  directories.push(directory);
  const { project = 'backend', url = lab.url, environment = {} } = choice;
  const program = startProgram(
    'cli/main.js',
    ['run', '--project', project, '--config', 'prd', ...options, '--', 'sh', '-c', script],
    {
      directory,
      environment: {
        HOME: directory,
        TMPDIR: directory,
        LEASEHOLD_HOST: url,
        LEASEHOLD_TOKEN: lab.tokens['runner']!,
        ...environment,
      },
    },
  );
  return {
    ...program,
    ended: program.ended.then(innocent),
    directory,
    lines: async (file) => {
      const text = await readFile(join(directory, file), 'utf8').catch(() => '');
      return text.split('\n').slice(0, -1);
    },
  };
}

function innocent(ended: Ended): Ended {
  expect(ended.stderr).not.toContain('canary-');
  expect(ended.stderr).not.toMatch(/^ {4}at /m);
  return ended;
}

const isHeld = (leaseId: string): boolean => lab.provider.of(leaseId).length > 0;

async function untilLines(of: Run, file: string, count: number): Promise<readonly string[]> {
  await eventually(async () => (await of.lines(file)).length >= count, `${count} lines in ${file}`);
  return of.lines(file);
}

/** Looks again and again whether the provider has it, until told to stop. @returns how often it was gone. */
function watch(leaseId: string): () => number {
  let misses = 0;
  const timer = setInterval(() => (misses += isHeld(leaseId) ? 0 : 1), 20);
  return () => {
    clearInterval(timer);
    return misses;
  };
}

/** Tells its lease and lives on. */
const STAY = 'echo $TOKEN_LEASE_ID >> ids; exec sleep 60';

test('however the program or its wrapper ends, nothing is left at the provider within seconds', async () => {
  const endings: readonly (readonly [script: string, code: number, signal?: NodeJS.Signals])[] = [
    ['echo $TOKEN_LEASE_ID >> ids', 0],
    ['echo $TOKEN_LEASE_ID >> ids; exit 1', 1],
    ['echo $TOKEN_LEASE_ID >> ids; kill -KILL $$', 137],
    [STAY, 143, 'SIGTERM'],
    [STAY, 130, 'SIGINT'],
    [STAY, 129, 'SIGHUP'],
  ];
  await Promise.all(
    endings.map(async ([script, code, signal]) => {
      const program = await run([], script);
      const [leaseId] = await untilLines(program, 'ids', 1);
      if (signal !== undefined) {
        expect(isHeld(leaseId!)).toBe(true);
        program.signal(signal);
      }
      const ended = await program.ended;
      expect([signal ?? script, ended.code, ended.stderr]).toEqual([signal ?? script, code, '']);
      await eventually(async () => !isHeld(leaseId!), 'its lease to be removed', 5_000);
      expect(await lab.outcome(leaseId!)).toMatchObject({ state: 'revoked', reason: 'leasehold run has ended' });
    }),
  );
});

test('after SIGKILL of wrapper and program the lease ends by its TTL, and not before', async () => {
  const program = await run(['--ttl', '4s'], 'echo $$ >> pids; echo $TOKEN_LEASE_ID >> ids; exec sleep 60');
  const [leaseId] = await untilLines(program, 'ids', 1);
  const [pid] = await program.lines('pids');
  const { expiresAt } = await lab.leases.get(leaseId!);
  program.signal('SIGKILL');
  process.kill(Number(pid), 'SIGKILL');
  await program.ended;
  let heldUntil = 0;
  await eventually(async () => {
    if (isHeld(leaseId!)) heldUntil = Date.now();
    return !isHeld(leaseId!);
  }, 'the lease to end');
  expect(heldUntil).toBeGreaterThan(expiresAt!.getTime() - 200);
  expect(await lab.outcome(leaseId!)).toMatchObject({ state: 'expired' });
});

test('a program that runs longer than its TTL keeps its credential all the time, and is not bothered', async () => {
  const program = await run(['--ttl', '3s'], 'echo $TOKEN_LEASE_ID >> ids; sleep 8; echo "$TOKEN_TOKEN"');
  const [leaseId] = await untilLines(program, 'ids', 1);
  const stop = watch(leaseId!);
  await eventually(async () => lab.events(leaseId!).filter((event) => event === 'extended').length > 0, 'an extension');
  await pause(5_000);
  expect(stop()).toBe(0);
  expect(await program.ended).toEqual({ code: 0, stdout: `canary-${leaseId}\n`, stderr: '' });
});

/** Tells both leases at each start. */
const TELL_BOTH = 'echo $ONE_LEASE_ID $TWO_LEASE_ID >> ids';

test('at the maximum TTL, as asked: a warning, a signal in good time, or one restart with fresh credentials', async () => {
  const [ended, signalled, restarted] = await Promise.all([
    run(['--only-secrets', 'ONE'], 'echo $ONE_LEASE_ID $ONE_LEASE_EXPIRES_AT >> ids; sleep 5; exit 7', {
      project: 'capped',
    }),
    run(
      ['--on-expiry', 'signal', '--expiry-signal', 'usr1'],
      `${TELL_BOTH}; trap 'echo USR1 >> signals' USR1; for i in 1 2 3 4 5; do sleep 1 & wait; wait; done`,
      { project: 'capped' },
    ),
    run(['--on-expiry', 'restart'], `${TELL_BOTH}; exec sleep 60`, { project: 'capped' }),
  ]);

  const warning = async (): Promise<void> => {
    const [line = ''] = await untilLines(ended, 'ids', 1);
    const [leaseId = '', end = ''] = line.split(' ');
    const { code, stderr } = await ended.ended;
    expect(code).toBe(7);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(`leasehold: ONE (lease ${leaseId}) ends at ${end} and cannot be extended: `);
    expect(await lab.outcome(leaseId)).toMatchObject({ state: 'expired' });
  };
  const signal = async (): Promise<void> => {
    const [line = ''] = await untilLines(signalled, 'ids', 1);
    await untilLines(signalled, 'signals', 1);
    expect(line.split(' ').map(isHeld)).toEqual([true, true]);
    const { code, stderr } = await signalled.ended;
    expect(code).toBe(0);
    expect(await signalled.lines('signals')).toEqual(['USR1']);
    expect(await signalled.lines('ids')).toEqual([line]);
    expect(stderr.match(/cannot be extended/g)).toHaveLength(2);
  };
  const restart = async (): Promise<void> => {
    const [first] = await untilLines(restarted, 'ids', 1);
    const old = first!.split(' ');
    const [, second] = await untilLines(restarted, 'ids', 2);
    // The new ones are there, and usable, while the old ones still are.
    const fresh = second!.split(' ');
    expect([...old, ...fresh].map(isHeld)).toEqual([true, true, true, true]);
    expect(new Set([...old, ...fresh]).size).toBe(4);
    const [, , third] = await untilLines(restarted, 'ids', 3);
    expect(third!.split(' ').map(isHeld)).toEqual([true, true]);
    restarted.signal('SIGTERM');
    const { code, stderr } = await restarted.ended;
    expect(code).toBe(143);
    expect(stderr).toMatch(/^(leasehold: The program is restarted with fresh credentials\.\n){2,}$/);
    // One restart for both, each time.
    for (const start of await restarted.lines('ids')) expect(new Set(start.split(' ')).size).toBe(2);
  };
  await Promise.all([warning(), signal(), restart()]);
});

test('a lease that an administrator ends is replaced at a restart, once no block refuses that any more', async () => {
  const program = await run(['--ttl', '3s', '--on-expiry', 'restart'], STAY);
  const left = await run(['--ttl', '3s'], STAY);
  const [first] = await untilLines(program, 'ids', 1);
  const [lost] = await untilLines(left, 'ids', 1);
  const block = { id: 'block-of-test', by: 'token:admin', reason: 'laptop lost', at: new Date().toISOString() };
  await placeBlock(lab.client, { ...block, filter: { project: 'backend' } });
  await Promise.all([first!, lost!].map((id) => lab.leases.revoke(id, { wait: true })));
  await pause(4_000);
  expect(await program.lines('ids')).toEqual([first]);
  await liftBlock(lab.client, block.id);
  const [, second] = await untilLines(program, 'ids', 2);
  expect(isHeld(second!)).toBe(true);
  program.signal('SIGTERM');
  left.signal('SIGTERM');
  const [{ code, stderr }, warned] = await Promise.all([program.ended, left.ended]);
  expect([code, warned.code]).toEqual([143, 143]);
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringContaining(`${first!} `),
    expect.stringMatching(/^leasehold: TOKEN cannot be renewed now, which is tried again: .*block-of-test/),
    'leasehold: The program is restarted with fresh credentials.',
    'leasehold: The leases are renewed again.',
  ]);
  expect(warned.stderr).toMatch(new RegExp(`^leasehold: TOKEN \\(lease ${lost!}\\) has ended: .*\\n$`));
});

test('of several leases of which one is refused none is left, and the program is not started', async () => {
  lab.provider.before = async (verb, name) => {
    if (verb !== 'provision' || !name.startsWith('other-')) return;
    // When the good one has been made.
    await eventually(async () => lab.provider.entities.size > 0, 'the other lease');
    throw new IntegrationError('Refused', { operation: 'provision' });
  };
  for (const policy of ['end', 'restart']) {
    const program = await run(['--on-expiry', policy], 'echo started >> ids', { project: 'duo' });
    const { code, stdout, stderr } = await program.ended;
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toMatch(/^leasehold: BAD: .+\n$/);
    expect(await program.lines('ids')).toEqual([]);
    await eventually(async () => lab.provider.entities.size === 0, 'the good lease to be removed', 5_000);
  }
});

test('only what is named is leased, and an unknown name or an impossible TTL leases nothing', async () => {
  const before = lab.provider.calls.provision;
  const script = 'env | grep -E "^(GREETING|SHADE|TOKEN|ONE|TWO)" | cut -d= -f1 | sort';
  const none = await (await run(['--only-secrets', 'GREETING'], script)).ended;
  expect(none).toEqual({ code: 0, stdout: 'GREETING\n', stderr: '' });
  const unknown = await (await run(['--only-secrets', 'GREETING,NO_SUCH'], script)).ended;
  expect([unknown.code, unknown.stdout]).toEqual([2, '']);
  expect(unknown.stderr).toContain('no secret "NO_SUCH" here');
  const impossible = await (await run(['--ttl', '10s'], script, { project: 'capped' })).ended;
  expect([impossible.code, impossible.stdout]).toEqual([2, '']);
  expect(impossible.stderr).toMatch(/^leasehold: --ttl, for ONE: .*from 1s to 3s.* Nothing was leased\.\n$/);
  expect(lab.provider.calls.provision).toBe(before);

  const one = await (await run(['--only-secrets', 'TWO_TOKEN'], script, { project: 'capped' })).ended;
  expect(one.stdout.split('\n')).toEqual(['TWO_LEASE_EXPIRES_AT', 'TWO_LEASE_ID', 'TWO_TOKEN', '']);
  expect(lab.provider.calls.provision).toBe(before + 1);
  const all = await (await run([], script)).ended;
  expect(all.stdout.split('\n')).toEqual([
    'GREETING',
    'SHADE',
    'TOKEN_LEASE_EXPIRES_AT',
    'TOKEN_LEASE_ID',
    'TOKEN_TOKEN',
    '',
  ]);
});

test('a secret wins over a variable that is set, unless that is preserved; the token is not passed on', async () => {
  const environment = { SHADE: 'from here', GREETING: 'good night' };
  const script = 'echo $SHADE, $GREETING, ${LEASEHOLD_TOKEN:-no token}';
  const say = async (...options: string[]): Promise<string> =>
    (await (await run(['--only-secrets', 'SHADE,GREETING', ...options], script, { environment })).ended).stdout;
  expect(
    await Promise.all([
      say(),
      say('--preserve-env'),
      say('--preserve-env=SHADE'),
      say('--preserve-env=LEASEHOLD_TOKEN,GREETING'),
    ]),
  ).toEqual([
    'from the config, good day, no token\n',
    'from here, good night, no token\n',
    'from here, good day, no token\n',
    `from the config, good night, ${lab.tokens['runner']!}\n`,
  ]);
  const odd = await (await run([], 'echo ${LD_PRELOAD:-none} $PLAIN', { project: 'odd' })).ended;
  expect(odd).toMatchObject({ code: 0, stdout: 'none x\n' });
  expect(odd.stderr).toMatch(/^leasehold: Not handed out as variables, .*: LD_PRELOAD, PATH\.\n$/);
});

test('a mount hands all out as often as it is read, in each format, and never in the environment', async () => {
  const read = 'node -p "Object.keys(JSON.parse(fs.readFileSync(process.env.LEASEHOLD_SECRETS_PATH))).join()"';
  const formats = await Promise.all([
    run(['--mount', 'secrets'], `test -p secrets && stat -c %a secrets; ${read}; ${read}; env | grep -c TOKEN_`),
    run(
      ['--mount', 'secrets', '--mount-format', 'env'],
      'grep -c TOKEN_TOKEN=\\"canary- secrets; . ./secrets; echo $GREETING',
    ),
    run(['--mount', 'secrets', '--mount-format', 'yaml', '--only-secrets', 'GREETING'], 'cat secrets'),
    run(['--mount', 'secrets', '--mount-format', 'docker', '--only-secrets', 'GREETING'], 'cat secrets'),
    run(['--mount', 'secrets', '--mount-format', 'dotnet-json', '--only-secrets', 'GREETING'], 'cat secrets'),
  ]);
  const names = 'GREETING,SHADE,TOKEN_LEASE_EXPIRES_AT,TOKEN_LEASE_ID,TOKEN_TOKEN';
  expect((await Promise.all(formats.map(({ ended }) => ended))).map(({ stdout, stderr }) => stdout + stderr)).toEqual([
    `600\n${names}\n${names}\n0\n`,
    '1\ngood day\n',
    'GREETING: "good day"\n',
    'GREETING=good day\n',
    '{"Greeting":"good day"}',
  ]);
  // The pipe has gone with the program.
  for (const { directory } of formats) expect(await readdir(directory)).toEqual([]);
});

test('a mount is readable as often as allowed, and is not made where something is', async () => {
  const twice = await run(
    ['--mount', 'secrets', '--mount-max-reads', '2', '--only-secrets', 'GREETING', '--mount-format', 'docker'],
    'cat secrets; cat secrets; sleep 0.1; cat secrets || ls -A',
  );
  const { code, stdout } = await twice.ended;
  expect([code, stdout]).toEqual([0, 'GREETING=good day\nGREETING=good day\n']);
  const before = lab.provider.calls.provision;
  const taken = await (await run(['--mount', '/etc/hostname'], 'echo started')).ended;
  expect([taken.code, taken.stdout]).toEqual([2, '']);
  expect(taken.stderr).toMatch(/^leasehold: --mount: \/etc\/hostname is there already\./);
  const nowhere = await (await run(['--mount', 'no/such/secrets'], 'echo started')).ended;
  expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('Its directory must be there') });
  const tool = await run(['--mount', 'secrets'], 'echo started', { environment: { PATH: '/nowhere' } });
  expect((await tool.ended).code).toBe(127);
  expect(lab.provider.calls.provision).toBe(before);
});

test('at SIGHUP a program reads fresh credentials from its mount, while the old ones are still good', async () => {
  const program = await run(
    ['--on-expiry', 'signal', '--expiry-signal', 'HUP', '--mount', 'secrets', '--mount-format', 'env'],
    `read_all() { . ./secrets; echo $ONE_LEASE_ID $TWO_LEASE_ID >> ids; }
     trap read_all HUP; read_all; while true; do sleep 0.1; done`,
    { project: 'capped' },
  );
  const [first, second] = await untilLines(program, 'ids', 2);
  const all = [...first!.split(' '), ...second!.split(' ')];
  expect(new Set(all).size).toBe(4);
  expect(all.map(isHeld)).toEqual([true, true, true, true]);
  program.signal('SIGTERM');
  expect(await program.ended).toMatchObject({ code: 143, stderr: '' });
});

test('a reader of a mount who is slow, leaves early, or reads all of much, disturbs no other', async () => {
  const long = 'x'.repeat(200_000);
  lab.reconfigure({ secrets: { GREETING: 'good day', LONG: long } });
  const program = await run(
    ['--mount', 'secrets', '--only-secrets', 'GREETING,LONG', '--mount-format', 'docker'],
    `(exec 3< secrets; sleep 0.6; wc -c <&3 >> slow) &
     sleep 0.2; head -c 10 secrets > /dev/null; wc -c < secrets >> whole; wait; wc -c < secrets >> whole
     cat < secrets > /dev/null & sleep 0.1; exit 0`,
  );
  expect(await program.ended).toMatchObject({ code: 0, stderr: '' });
  const size = String(`GREETING=good day\nLONG=${long}\n`.length);
  expect(await program.lines('slow')).toEqual([size]);
  expect(await program.lines('whole')).toEqual([size, size]);
  lab.reconfigure({});
});

test('a server that is away during the run is waited for, told once, and told when it is back', async () => {
  const gate = await openTcpGate(new URL(lab.url).host);
  const program = await run(['--ttl', '6s'], STAY, { url: `http://${gate.address}` });
  const [leaseId] = await untilLines(program, 'ids', 1);
  const stop = watch(leaseId!);
  gate.cut();
  await pause(5_000);
  gate.mend();
  await eventually(async () => lab.events(leaseId!).includes('extended'), 'the extension');
  await pause(1_500);
  expect(stop()).toBe(0);
  program.signal('SIGTERM');
  const { code, stderr } = await program.ended;
  await gate.close();
  expect(code).toBe(143);
  const lines = stderr.trim().split('\n');
  expect(lines.at(-1)).toBe('leasehold: The leases are extended again.');
  expect(lines.slice(0, -1).filter((line) => !line.startsWith('leasehold: TOKEN cannot be renewed now'))).toEqual([]);
  expect(new Set(lines).size).toBe(lines.length);
  expect(lines.length).toBeLessThanOrEqual(3);
});

test('a server that is away at the start or at the end is given up in bounded time, with the right exit code', async () => {
  const gate = await openTcpGate(new URL(lab.url).host);
  const silent = await listen();
  const gone = await listen();
  gone.server.close();
  const atEnd = async (): Promise<void> => {
    const program = await run(
      ['--ttl', '20s'],
      'echo $TOKEN_LEASE_ID >> ids; until test -e go; do sleep 0.1; done; exit 42',
      {
        url: `http://${gate.address}`,
      },
    );
    const [leaseId] = await untilLines(program, 'ids', 1);
    gate.cut();
    const since = Date.now();
    await writeFile(join(program.directory, 'go'), '');
    const { code, stderr } = await program.ended;
    expect(code).toBe(42);
    expect(Date.now() - since).toBeLessThan(25_000);
    const { expiresAt } = await lab.leases.get(leaseId!);
    expect(stderr).toMatch(
      new RegExp(
        `^leasehold: Lease ${leaseId!} of TOKEN could not be revoked: it ends by its TTL, at ${expiresAt!.toISOString()}\\. .*\\n$`,
      ),
    );
  };
  const atStart = async (): Promise<void> => {
    const unreached = await run([], 'echo started', { url: gone.url });
    expect(await unreached.ended).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/^leasehold: .*ECONNREFUSED.*\n$/),
    });
    const wrong = await run([], 'echo started', { environment: { LEASEHOLD_TOKEN: `${lab.tokens['runner']!}x` } });
    expect(await wrong.ended).toMatchObject({
      code: 5,
      stdout: '',
      stderr: expect.stringMatching(/^leasehold: .*\n$/),
    });
  };
  const withoutAnswer = async (): Promise<void> => {
    const program = await run([], 'echo started', { url: silent.url });
    expect(await program.ended).toMatchObject({ code: 6, stdout: '', stderr: expect.stringContaining('in time') });
  };
  try {
    await Promise.all([atEnd(), atStart(), withoutAnswer()]);
  } finally {
    await gate.close();
    silent.server.close();
  }
}, 60_000);

/** A server that never answers. */
async function listen(): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('leased values stand in no argument of a process and in no file', async () => {
  const program = await run([], 'echo $TOKEN_LEASE_ID >> ids; exec sleep 60');
  const mounted = await run(['--mount', 'secrets'], 'cat secrets > /dev/null; echo x >> ids; exec sleep 60');
  await Promise.all([program, mounted].map((each) => untilLines(each, 'ids', 1)));
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-eo', 'args']);
  expect(stdout).toContain('cli/main.js run');
  expect(stdout).not.toMatch(/canary-[a-z2-7]{24}/);
  for (const { directory } of [program, mounted]) {
    for (const file of await filesUnder(directory)) expect(await readFile(file, 'latin1')).not.toContain('canary-');
  }
  for (const each of [program, mounted]) each.signal('SIGTERM');
  await Promise.all([program.ended, mounted.ended]);
});
