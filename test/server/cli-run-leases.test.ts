import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { IntegrationError } from '../../activities/integrations/integration';
import { liftBlock, placeBlock } from '../../temporal/blocks';
import { filesUnder } from '../support/canaries';
import { eventually, pause } from '../support/lab';
import { openRunLab, STAY, untilLines } from '../support/run-lab';
import type { RunLab } from '../support/run-lab';

let lab: RunLab;
const run: RunLab['run'] = (...given) => lab.run(...given);
const isHeld = (leaseId: string): boolean => lab.isHeld(leaseId);

beforeAll(async () => {
  lab = await openRunLab();
}, 60_000);

afterEach(() => lab.cleanUp());

afterAll(() => lab.close());

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
  const stop = lab.watch(leaseId!);
  await eventually(async () => lab.events(leaseId!).filter((event) => event === 'extended').length > 0, 'an extension');
  await pause(5_000);
  expect(stop()).toBe(0);
  expect(await program.ended).toEqual({ code: 0, stdout: `canary-${leaseId}\n`, stderr: '' });
});

/** Tells both leases at each start. */
const TELL_BOTH = 'echo $ONE_LEASE_ID $TWO_LEASE_ID >> ids';

test('at the maximum TTL, as asked: a warning, a signal in good time, or one restart with fresh credentials', async () => {
  const [ended, signalled, restarted] = await Promise.all([
    run(['--only-secrets', 'ONE'], 'echo $ONE_LEASE_ID $ONE_LEASE_EXPIRES_AT >> ids; sleep 15; exit 7', {
      project: 'capped',
    }),
    run(
      ['--on-expiry', 'signal', '--expiry-signal', 'usr1'],
      `${TELL_BOTH}; trap 'echo USR1 >> signals' USR1; for i in $(seq 15); do sleep 1 & wait; wait; done`,
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
    expect(stderr).toMatch(/^(leasehold: The program was restarted with fresh credentials\.\n){2,}$/);
    // One restart for both, each time.
    for (const start of await restarted.lines('ids')) expect(new Set(start.split(' ')).size).toBe(2);
  };
  await Promise.all([warning(), signal(), restart()]);
}, 60_000);

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
  const told = stderr.trim().split('\n');
  // A lease that ends while it is being extended may be told of twice.
  expect(told.slice(0, -2)).toEqual(
    expect.arrayContaining([
      expect.stringContaining(`${first!} `),
      expect.stringMatching(/^leasehold: TOKEN cannot be renewed now, which is tried again: .*block-of-test/),
    ]),
  );
  expect(told.slice(-2)).toEqual([
    'leasehold: The program was restarted with fresh credentials.',
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

test('a dozen leases at once come and go without a word', async () => {
  for (const policy of ['end', 'restart']) {
    const program = await run(['--on-expiry', policy], 'env | grep -c ^S[0-9]*_TOKEN=', { project: 'dozen' });
    expect(await program.ended).toEqual({ code: 0, stdout: '12\n', stderr: '' });
    await eventually(async () => lab.provider.entities.size === 0, 'all to be removed', 10_000);
  }
});

test('only what is named is leased, and an unknown name or an impossible TTL leases nothing', async () => {
  const before = lab.provider.calls.provision;
  const script = 'env | grep -E "^(GREETING|SHADE|TOKEN|ONE|TWO)" | cut -d= -f1 | sort';
  const none = await (await run(['--only-secrets', 'GREETING'], script)).ended;
  expect(none).toEqual({ code: 0, stdout: 'GREETING\n', stderr: '' });
  const unknown = await (await run(['--only-secrets', 'GREETING,NO_SUCH'], script)).ended;
  expect([unknown.code, unknown.stdout]).toEqual([2, '']);
  expect(unknown.stderr).toMatch(/^leasehold: backend\/prd has no secret "NO_SUCH", or the token may not see it: /);
  const impossible = await (await run(['--ttl', '20s'], script, { project: 'capped' })).ended;
  expect([impossible.code, impossible.stdout]).toEqual([2, '']);
  expect(impossible.stderr).toMatch(/^leasehold: --ttl, for ONE: .*from 1s to 12s.* Nothing was leased\.\n$/);
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
  const odd = await (await run([], 'echo ${LD_PRELOAD:-none} $PLAIN$NODE_OPTIONS', { project: 'odd' })).ended;
  expect(odd).toMatchObject({ code: 0, stdout: 'none x\n' });
  expect(odd.stderr).toMatch(/^leasehold: Not handed out as variables, .*: LD_PRELOAD, NODE_OPTIONS, PATH\.\n$/);
  const asked = ['--only-secrets', 'LD_PRELOAD,NODE_OPTIONS'];
  const named = await (await run(asked, 'echo ${LD_PRELOAD:-none} $NODE_OPTIONS', { project: 'odd' })).ended;
  expect(named).toMatchObject({ code: 0, stdout: 'none --no-warnings\n' });
  expect(named.stderr).toMatch(/^leasehold: Not handed out as variables, .*: LD_PRELOAD\.\n$/);
});

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
