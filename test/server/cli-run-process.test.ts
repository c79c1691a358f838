import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLeaseService } from '../../client/service';
import { openApiLab } from '../support/api-lab';
import type { ApiLab, RunningApi } from '../support/api-lab';
import { describeIf } from '../support/describe-if';
import { eventually, pause } from '../support/lab';
import { openPipes } from '../support/session';
import type { Session } from '../support/session';
import { CTRL_BACKSLASH, CTRL_C, CTRL_Z, openTerminal } from '../support/terminal';
import type { Terminal } from '../support/terminal';

const MAIN = join(__dirname, '../../dist/cli/main.js');
const COUNTING = ['python3', join(__dirname, '../support/counting.py')];

let lab: ApiLab;
let directory: string;
let environment: Readonly<Record<string, string>>;
const open: Session[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-run-'));
  lab = await openApiLab({ secrets: { GREETING: 'hello' } });
  environment = { LEASEHOLD_HOST: lab.url, LEASEHOLD_TOKEN: lab.tokens['ci']!, LEASEHOLD_SCOPE: 'backend/prd' };
}, 60_000);

afterEach(async () => {
  lab.provider.before = () => undefined;
  lab.provider.heal();
  for (const session of open.splice(0)) {
    try {
      session.signal('SIGKILL', 'group');
    } catch {
      // It has ended.
    }
  }
  // Those that were killed leave theirs to the TTL: they are of no test to come.
  for (const name of lab.provider.entities.keys()) await lab.leases.revoke(leaseIn(name), { wait: true });
});

afterAll(async () => {
  await lab.close();
  await rm(directory, { recursive: true, force: true });
});

function leaseIn(entity: string): string {
  return /[a-z2-7]{24}$/.exec(entity)![0];
}

/** A command line of `leasehold run`. */
function line(program: readonly string[], options: readonly string[] = []): readonly string[] {
  return [process.execPath, MAIN, 'run', ...options, '--', ...program];
}

function inPipes(program: readonly string[], options?: readonly string[]): ReturnType<typeof openPipes> {
  const session = openPipes(line(program, options), { environment, directory });
  open.push(session);
  return session;
}

async function inTerminal(
  program: readonly string[],
  options?: readonly string[],
  role: 'job' | 'leader' = 'job',
): Promise<Terminal> {
  const session = await openTerminal(line(program, options), { environment, directory, role });
  open.push(session);
  return session;
}

const PLACES: readonly (readonly [
  string,
  (program: readonly string[], options?: readonly string[]) => Session | Promise<Session>,
])[] = [
  ['in a terminal', inTerminal],
  ['in a pipe', inPipes],
];

/** The program's pid and its lease, once it runs. */
async function ready(session: Session): Promise<{ readonly pid: number; readonly leaseId: string }> {
  const [, pid, leaseId] = await session.until(/ready (\d+) ([a-z2-7]{24})/);
  return { pid: Number(pid), leaseId: leaseId! };
}

/** What has reached the program by the time everything that was sent before has. */
async function counted(session: Session): Promise<Readonly<Record<string, number>>> {
  const nth = session.output().split('counted').length;
  // Relayed in their order: nothing that came before can still be on its way.
  session.signal('SIGUSR2', 'itself');
  await session.until(new RegExp(`got SIGUSR2 ${nth}`));
  session.type('ask\n');
  const [, text] = await session.until(new RegExp(`(?:counted[^]*){${nth - 1}}counted (\\{.*\\})`));
  const { SIGUSR2: _, ...counts } = JSON.parse(text!) as Record<string, number>;
  return counts;
}

async function untilRevoked(leaseId: string): Promise<void> {
  await eventually(async () => lab.provider.of(leaseId).length === 0, 'the lease to be removed', 10_000);
}

/** An API that revokes nothing before it is stopped. */
async function openSlowApi(): Promise<{ readonly asked: Promise<void> } & RunningApi> {
  const service = createLeaseService({ client: lab.client, namespace: lab.namespace, deployment: lab.deployment });
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let tell: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const revoke: typeof service.revoke = async (...args) => {
    tell();
    await released;
    return service.revoke(...args);
  };
  const api = await lab.startApi({ leases: { ...service, revoke } });
  return {
    ...api,
    asked,
    stop: () => {
      release();
      return api.stop();
    },
  };
}

/** Processes of a group that have not ended, by pid. */
function processesOf(group: number): ReadonlyMap<number, string> {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,pgid=,stat=,comm='], { encoding: 'utf8' });
  const rows = stdout.split('\n').map((row) => row.trim().split(/\s+/));
  const alive = rows.filter(([, pgid, state]) => Number(pgid) === group && state?.startsWith('Z') === false);
  return new Map(alive.map(([pid, , , ...name]) => [Number(pid), name.join(' ')]));
}

describe.each(PLACES)('a program %s', (place, start) => {
  test('ends run with its exit code, or as shells number the signal that killed it, and its lease with it', async () => {
    const ends: readonly (readonly [string, number])[] = [
      ['end 0', 0],
      ['end 1', 1],
      ['end 42', 42],
      ['die SIGTERM', 143],
      ['die SIGKILL', 137],
      ['die SIGSEGV', 139],
    ];
    await Promise.all(
      ends.map(async ([order, code]) => {
        const session = await start(COUNTING);
        const { leaseId } = await ready(session);
        expect(lab.provider.of(leaseId)).toHaveLength(1);
        session.type(`${order}\n`);
        expect([order, await session.ended]).toEqual([order, { code, signal: null }]);
        await untilRevoked(leaseId);
      }),
    );
  });

  test.each(['itself', 'group'] as const)('gets each signal once that is sent to %s, and run goes on', async (to) => {
    await Promise.all(
      (['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGWINCH'] as const).map(async (name) => {
        const session = await start(COUNTING);
        const { leaseId } = await ready(session);
        session.signal(name, to);
        await session.until(new RegExp(`got ${name}`));
        expect(await counted(session)).toEqual({ [name]: 1 });
        // And once more after that.
        session.signal(name, to);
        await session.until(new RegExp(`got ${name} 2`));
        expect(await counted(session)).toEqual({ [name]: 2 });
        expect(lab.provider.of(leaseId)).toHaveLength(1);
        session.type('end 7\n');
        expect(await session.ended).toEqual({ code: 7, signal: null });
      }),
    );
  });

  test('that ignores TERM goes on with its lease, and is killed only as --kill-after says', async () => {
    const [patient, strict] = await Promise.all([start(COUNTING), start(COUNTING, ['--kill-after', '1s'])]);
    const [{ leaseId }] = await Promise.all([ready(patient), ready(strict)]);
    patient.signal('SIGTERM', 'itself');
    strict.signal('SIGTERM', 'itself');
    await Promise.all([patient.until(/got SIGTERM 1/), strict.until(/got SIGTERM 1/)]);
    expect(await strict.ended).toEqual({ code: 137, signal: null });
    expect(await counted(patient)).toEqual({ SIGTERM: 1 });
    expect(lab.provider.of(leaseId)).toHaveLength(1);
    patient.type('end 0\n');
    expect(await patient.ended).toEqual({ code: 0, signal: null });
  });
});

describe('a program at a terminal', () => {
  test('gets what is typed there once: Ctrl-C, Ctrl-\\ and the size of the window', async () => {
    const terminal = await inTerminal(COUNTING);
    await ready(terminal);
    terminal.type(CTRL_C);
    await terminal.until(/got SIGINT/);
    terminal.type(CTRL_BACKSLASH);
    await terminal.until(/got SIGQUIT/);
    terminal.resize(50, 132);
    await terminal.until(/got SIGWINCH/);
    expect(await counted(terminal)).toEqual({ SIGINT: 1, SIGQUIT: 1, SIGWINCH: 1 });
  });

  test('that Ctrl-C ends is revoked, and run ends with 130', async () => {
    const terminal = await inTerminal(['sh', '-c', 'echo ready $$ $TOKEN_LEASE_ID; exec sleep 60']);
    const { leaseId } = await ready(terminal);
    terminal.type(CTRL_C);
    expect(await terminal.ended).toEqual({ code: 130, signal: null });
    await untilRevoked(leaseId);
  });

  test('is stopped by Ctrl-Z together with run, and continues in the foreground', async () => {
    const terminal = await inTerminal(COUNTING);
    await ready(terminal);
    terminal.type(CTRL_Z);
    await eventually(async () => terminal.stops() === 1, 'the shell to see it stopped');
    terminal.bringToForeground();
    terminal.type(CTRL_C);
    await terminal.until(/got SIGINT/);
    expect(await counted(terminal)).toEqual({ SIGINT: 1 });
  });

  test.each(['job', 'leader'] as const)('gets HUP once when the terminal is closed on a %s', async (role) => {
    const file = join(directory, `hangup-${role}`);
    const count = `trap 'echo HUP >> ${file}' HUP; echo ready $$ $TOKEN_LEASE_ID; while [ "$(wc -l < ${file})" -lt 1 ]; do sleep 0.05; done; sleep 0.3`;
    await writeFile(file, '');
    const terminal = await inTerminal(['sh', '-c', count], [], role);
    const { leaseId } = await ready(terminal);
    terminal.hangUp();
    expect(await terminal.ended).toEqual({ code: 0, signal: null });
    const { stdout } = spawnSync('cat', [file], { encoding: 'utf8' });
    expect(stdout).toBe('HUP\n');
    await untilRevoked(leaseId);
  });

  test('can open the terminal itself, in whatever mode it likes', async () => {
    const terminal = await inTerminal([
      'python3',
      '-c',
      `import os, tty
device = os.open("/dev/tty", os.O_RDWR)
tty.setraw(device)
os.write(device, b"size %d %d\\n" % tuple(os.get_terminal_size(device))[::-1])
key = os.read(device, 1)
os.write(device, b"key %d\\n" % key[0])`,
    ]);
    await terminal.until(/size 24 80/);
    terminal.type(CTRL_C);
    await terminal.until(/key 3/);
    expect(await terminal.ended).toEqual({ code: 0, signal: null });
  });
});

describe('what a program is given', () => {
  test('arguments reach it exactly as they are', async () => {
    const print = 'import json, sys; print("args", json.dumps(sys.argv[1:]))';
    const odd = [
      'a b',
      '',
      "it's",
      '"q"',
      '$HOME',
      '`id`',
      '*',
      '\\',
      'ünï ✓',
      '--help',
      '-x',
      '--',
      '--ttl=1s',
      'a\nb',
    ];
    const session = inPipes(['python3', '-c', print, ...odd]);
    const bare = openPipes([process.execPath, MAIN, 'run', '--ttl', '1m', 'echo', 'then', '--ttl', '--', 'x'], {
      environment,
      directory,
    });
    open.push(bare);
    const [, text] = await session.until(/args (.*)\n/);
    expect(JSON.parse(text!)).toEqual(odd);
    await bare.until(/^then --ttl -- x\n/);
    await Promise.all([session.ended, bare.ended]);
  });

  test('its variables come in the same order each time', async () => {
    const outputs = await Promise.all(
      [1, 2].map(async () => {
        const session = inPipes(['python3', '-c', 'import os; print(*os.environ, "over")']);
        const [names] = await session.until(/.* over/);
        return names.split(' ');
      }),
    );
    expect(outputs[0]).toEqual(expect.arrayContaining(['PATH', 'GREETING', 'TOKEN_TOKEN']));
    expect(outputs[1]).toEqual(outputs[0]);
  });

  test('input and output of 100 MB pass untouched, also through one pipe for both streams', async () => {
    const size = 100_000_000;
    // A pipe that does not block any more would fail its writes.
    const copy = `import hashlib, os
seen = hashlib.sha256()
while chunk := os.read(0, 65536):
    seen.update(chunk)
    assert os.write(1, chunk) == len(chunk)
os.write(2, seen.hexdigest().encode())`;
    const child = spawn('sh', ['-c', '"$@" 2>&1 | cat', 'sh', ...line(['python3', '-c', copy])], {
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const sent = createHash('sha256');
    const write = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) {
        const chunk = Buffer.alloc(size / 100, `Leasehold ${i}`);
        sent.update(chunk);
        if (!child.stdin.write(chunk)) await once(child.stdin, 'drain');
      }
      child.stdin.end();
    };
    const received = createHash('sha256');
    let length = 0;
    let tail = '';
    child.stdout.on('data', (data: Buffer) => {
      const body = data.subarray(0, Math.max(0, size - length));
      received.update(body);
      length += body.length;
      tail += data.subarray(body.length).toString();
    });
    await Promise.all([write(), once(child, 'close')]);
    const expected = sent.digest('hex');
    expect([length, received.digest('hex'), tail]).toEqual([size, expected, expected]);
  });
});

describe('what a program leaves', () => {
  test('a process of its own that lives on keeps neither run nor the lease, though it holds the output', async () => {
    const session = inPipes(['sh', '-c', 'sleep 60 & echo ready $$ $TOKEN_LEASE_ID; exit 3']);
    const { leaseId } = await ready(session);
    expect(await session.ended).toEqual({ code: 3, signal: null });
    await untilRevoked(leaseId);
    expect([...processesOf(session.pid).values()]).toEqual(['sleep']);
  });

  test('no process stays behind when run is killed with -9, beside the program', async () => {
    const session = inPipes(COUNTING);
    const { pid } = await ready(session);
    expect([...processesOf(session.pid).values()]).toEqual(expect.arrayContaining(['sh', 'cat']));
    session.signal('SIGKILL', 'itself');
    expect(await session.ended).toEqual({ code: null, signal: 'SIGKILL' });
    await eventually(async () => processesOf(session.pid).size === 1, 'nothing but the program to be there');
    expect([...processesOf(session.pid).keys()]).toEqual([pid]);
  });

  test('nothing stays behind when nobody reads what it says any more', async () => {
    const child = spawn(process.execPath, line(COUNTING, ['--kill-after', '1s']).slice(1), {
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    const leaseId = /ready \d+ ([a-z2-7]{24})/.exec(said.toString())![1]!;
    child.stdout.destroy();
    child.stderr.destroy();
    // It is told of on standard error, which is no more.
    lab.provider.fail('Unavailable', 'deprovision');
    child.stdin.write('end 5\n');
    expect(await once(child, 'exit')).toEqual([5, null]);
    lab.provider.heal();
    await untilRevoked(leaseId);
  });
});

describe('a program that cannot be started', () => {
  test('is told before anything is leased: 127 if it is not there, 126 if it cannot be run', async () => {
    const text = join(directory, 'text');
    await writeFile(text, 'no program');
    const asked = lab.provider.calls.provision;
    const wrong: readonly (readonly [string, number, RegExp])[] = [
      [
        'no-such-program',
        127,
        /^leasehold: There is no program "no-such-program" on the PATH\. Nothing was leased\.\n$/,
      ],
      ['./no-such-program', 127, /^leasehold: There is no program "\.\/no-such-program"\. Nothing was leased\.\n$/],
      ['', 127, /^leasehold: There is no program ""/],
      [text, 126, /^leasehold: .* cannot be run: it is no file that you may execute\. Nothing was leased\.\n$/],
      [directory, 126, /^leasehold: .* cannot be run/],
    ];
    await Promise.all(
      wrong.map(async ([command, code, sentence]) => {
        const session = inPipes([command]);
        await session.until(sentence);
        expect([command, await session.ended]).toEqual([command, { code, signal: null }]);
      }),
    );
    expect(lab.provider.calls.provision).toBe(asked);
  });

  test('because of the command line is told as all else that run says', async () => {
    const session = openPipes([process.execPath, MAIN, 'run', '--on-expiry', 'hope', '--', 'true'], {
      environment,
      directory,
    });
    open.push(session);
    await session.until(/^leasehold: option '--on-expiry <deed>' argument 'hope' is invalid\./);
    expect(await session.ended).toEqual({ code: 2, signal: null });
  });

  test('leaves the pipe that it was told on to block, for whoever writes to it next', async () => {
    const next = `python3 -c 'import os; print("blocking", os.get_blocking(2))'`;
    const session = openPipes(['sh', '-c', `{ "$@"; ${next}; } 2>&1 | cat`, 'sh', ...line(['true'])], {
      environment: { ...environment, LEASEHOLD_TOKEN: 'wrong' },
      directory,
    });
    open.push(session);
    await session.until(/^leasehold: /);
    await session.until(/blocking True/);
    await session.ended;
  });

  test('leaves no lease where only the start can tell', async () => {
    const script = join(directory, 'script');
    await writeFile(script, '#!/no/such/interpreter\n');
    await chmod(script, 0o755);
    const asked = lab.provider.calls.provision;
    const session = inPipes([script]);
    await session.until(/^leasehold: .* is not there, or the interpreter that its first line names\.\n$/);
    expect(await session.ended).toEqual({ code: 127, signal: null });
    expect(lab.provider.calls.provision).toBe(asked + 1);
    await eventually(async () => lab.provider.entities.size === 0, 'the lease to be removed');
  });
});

describe('a signal to run', () => {
  test('before its program was started gives up the leasing, and leaves nothing', async () => {
    let release: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      lab.provider.before = (verb) => {
        if (verb !== 'provision') return undefined;
        resolve();
        return new Promise<void>((go) => {
          release = go;
        });
      };
    });
    const session = inPipes(['echo', 'begun']);
    await asked;
    session.signal('SIGTERM', 'itself');
    const ended = await session.ended;
    release();
    expect(ended).toEqual({ code: 143, signal: null });
    expect(session.output()).not.toContain('begun');
    await eventually(async () => lab.provider.entities.size === 0, 'what was made to be removed');
  });

  test('while it revokes is answered, and a second one leaves the lease to its TTL', async () => {
    const slow = await openSlowApi();
    const session = openPipes(line(COUNTING), { environment: { ...environment, LEASEHOLD_HOST: slow.url }, directory });
    open.push(session);
    const { leaseId } = await ready(session);
    session.type('end 0\n');
    await slow.asked;
    // What came just as the program ended was for the program.
    await pause(150);
    session.signal('SIGINT', 'itself');
    await session.until(/^leasehold: revoking what was leased; a second signal leaves it to its TTL\.$/m);
    await pause(150);
    session.signal('SIGTERM', 'itself');
    expect(await session.ended).toEqual({ code: 143, signal: null });
    expect(lab.provider.of(leaseId)).toHaveLength(1);
    await slow.stop();
  });

  test('is heard though nobody reads what run has to say', async () => {
    const slow = await openSlowApi();
    const unread = ['sh', '-c', 'mkfifo "$0"; exec 3<>"$0"; exec "$@" 2>"$0"', join(directory, 'unread')];
    // As much as the pipe holds.
    const program = ['sh', '-c', 'yes | head -c 65536 >&2; echo ready $$ $TOKEN_LEASE_ID'];
    const session = openPipes([...unread, ...line(program)], {
      environment: { ...environment, LEASEHOLD_HOST: slow.url },
      directory,
    });
    open.push(session);
    await slow.asked;
    await pause(150);
    session.signal('SIGINT', 'itself');
    await pause(150);
    session.signal('SIGTERM', 'itself');
    expect(await session.ended).toEqual({ code: 143, signal: null });
    await slow.stop();
  });

  test('and its group reaches a program that has left the group, too', async () => {
    const session = inPipes(['setsid', ...COUNTING]);
    await ready(session);
    session.signal('SIGTERM', 'group');
    await session.until(/got SIGTERM/);
    expect(await counted(session)).toEqual({ SIGTERM: 1 });
    session.type('end 0\n');
    expect(await session.ended).toEqual({ code: 0, signal: null });
  });

  test('and to the whole group at once, as `timeout` sends it, reaches the program once', async () => {
    const session = inPipes(COUNTING);
    await ready(session);
    session.signal('SIGTERM', 'itself');
    session.signal('SIGTERM', 'group');
    await session.until(/got SIGTERM/);
    expect(await counted(session)).toEqual({ SIGTERM: 1 });
  });
});

test('where no shell can be started to witness it, Ctrl-C and what comes to run alone still reach the program once', async () => {
  const bin = await mkdtemp(join(directory, 'bin-'));
  const { stdout: python } = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' });
  await symlink(python.trim(), join(bin, 'python3'));
  // The helper of the terminal is found by the PATH of the test, the program by that of run.
  const terminal = await openTerminal(['/usr/bin/env', `PATH=${bin}`, ...line(COUNTING)], { environment, directory });
  open.push(terminal);
  await ready(terminal);
  terminal.type(CTRL_C);
  terminal.signal('SIGTERM', 'itself');
  await terminal.until(/got SIGTERM/);
  expect(await counted(terminal)).toEqual({ SIGINT: 1, SIGTERM: 1 });
  expect([...processesOf(terminal.pid).values()]).not.toContain('sh');
});

const UNSHARE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
const { status } = spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), 'true']);

describeIf(status === 0 ? null : 'It needs to make a namespace of processes.', 'as process 1 of a container', () => {
  test('run passes signals on, and ends with its program', async () => {
    const session = openPipes([...UNSHARE, ...line(COUNTING)], { environment, directory });
    open.push(session);
    const { leaseId } = await ready(session);
    const first = [...processesOf(session.pid)].find(([pid, name]) => pid !== session.pid && name.startsWith('node'))!;
    process.kill(first[0], 'SIGTERM');
    await session.until(/got SIGTERM/);
    process.kill(first[0], 'SIGHUP');
    await session.until(/got SIGHUP/);
    session.type('ask\n');
    await session.until(/counted \{"SIGHUP": 1, "SIGTERM": 1\}/);
    session.type('die SIGTERM\n');
    expect(await session.ended).toEqual({ code: 143, signal: null });
    await untilRevoked(leaseId);
  });
});
