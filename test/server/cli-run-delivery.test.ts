import { readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { openTcpGate } from '../../dev/tcp-gate';
import { isFull } from '../support/full';
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

test('fresh credentials do not go into a pipe that took the place of a mount: that is told, and they are revoked', async () => {
  const program = await run(
    ['--on-expiry', 'signal', '--expiry-signal', 'HUP', '--mount', 'secrets', '--mount-max-reads', '1'],
    `cat secrets > /dev/null; while test -e secrets; do sleep 0.05; done; trap '' HUP; mkfifo -m 666 secrets
     cat secrets >> heard & trap "kill $!; exit 0" TERM; echo x >> ready; while true; do sleep 0.1; done`,
    { project: 'capped' },
  );
  await untilLines(program, 'ready', 1);
  await eventually(async () => program.said().includes('is there already'), 'it to be told');
  // What was made for it, and the leases that it was to replace, are all that there was.
  await eventually(async () => lab.provider.entities.size <= 2, 'the fresh leases to be removed');
  program.signal('SIGTERM');
  const { code, stderr } = await program.ended;
  expect(code).toBe(0);
  const line = 'leasehold: ONE, TWO cannot be renewed now, which is tried again: --mount: ';
  expect(stderr.split('\n').filter((each) => each.startsWith(line))).toEqual([
    expect.stringMatching(
      /\/secrets is there already\. If it is a pipe of an earlier run that was killed, remove it\.$/,
    ),
  ]);
  expect(await program.lines('heard')).toEqual([]);
  expect(await readdir(program.directory)).toContain('secrets');
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
  const program = await run(['--ttl', '9s'], STAY, { url: `http://${gate.address}` });
  const [leaseId] = await untilLines(program, 'ids', 1);
  const stop = lab.watch(leaseId!);
  gate.cut();
  await pause(7_000);
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
    await Promise.all([atEnd(), atStart(), ...(isFull ? [withoutAnswer()] : [])]);
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
