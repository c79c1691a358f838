import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isAlive } from '../../../cli/lock';
import { startProcess, StartError } from '../../../dev/process';

let directory: string;
let logFile: string;
let pidFile: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
  logFile = join(directory, 'log');
  pidFile = join(directory, 'pid');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function untilMissing(path: string): Promise<void> {
  const end = Date.now() + 10_000;
  while (existsSync(path)) {
    if (Date.now() > end) throw new Error(`${path} is still there`);
    await pause(20);
  }
}

const isReady = (): Promise<boolean> => Promise.resolve(existsSync(pidFile));

/** A program that writes down its own process id and then waits for ever. */
function waiting(first = ''): { readonly command: string; readonly args: readonly string[] } {
  return {
    command: '/bin/sh',
    args: ['-c', `${first} echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; while :; do sleep 0.1; done`],
  };
}

async function pidOfProgram(): Promise<number> {
  return Number(await readFile(pidFile, 'utf8'));
}

/** A negative id stands for a process group. */
async function untilGone(pid: number): Promise<void> {
  const end = Date.now() + 10_000;
  while (isAlive(pid)) {
    if (Date.now() > end) throw new Error(`process ${pid} is still there`);
    await pause(20);
  }
}

test('a program is stopped and its group is gone', async () => {
  const running = await startProcess({ ...waiting(), logFile, ready: isReady });
  const pid = await pidOfProgram();
  expect(isAlive(pid)).toBe(true);
  await running.stop();
  await untilGone(pid);
  await untilGone(-running.pid);
  await running.stop();
  await running.kill();
});

test('a program that dies by itself is noticed', async () => {
  const running = await startProcess({ ...waiting(), logFile, ready: isReady });
  process.kill(await pidOfProgram(), 'SIGKILL');
  await running.ended;
});

test('a program that does not heed SIGTERM is killed', async () => {
  const running = await startProcess({ ...waiting("trap '' TERM;"), logFile, ready: isReady, stopWithinMs: 500 });
  const pid = await pidOfProgram();
  await running.stop();
  await untilGone(pid);
});

test('a program that ends at its start is told with its last words', async () => {
  const started = startProcess({
    command: '/bin/sh',
    args: ['-c', 'echo the port is taken >&2; exit 1'],
    logFile,
    ready: isReady,
  });
  await expect(started).rejects.toBeInstanceOf(StartError);
  await expect(started).rejects.toThrow(/ended at its start.*the port is taken/s);
});

test('a program that does not get ready in time is ended, and the reason is told', async () => {
  const ready = (): Promise<boolean> => Promise.reject(new Error('nobody answers'));
  const started = startProcess({ ...waiting(), logFile, ready, readyWithinMs: 1_000 });
  await expect(started).rejects.toThrow(/was not ready within 1 s \(nobody answers\)/);
  await untilGone(await pidOfProgram());
});

test('a program gets none of our variables but the few it needs', async () => {
  process.env['LEASEHOLD_CANARY'] = 'canary';
  const running = await startProcess({ ...waiting('env;'), environment: { GIVEN: 'given' }, logFile, ready: isReady });
  delete process.env['LEASEHOLD_CANARY'];
  await running.stop();
  const log = await readFile(logFile, 'utf8');
  expect(log).toContain('GIVEN=given');
  expect(log).not.toContain('canary');
});

test('a program runs where it was told to', async () => {
  const where = join(directory, 'where');
  const running = await startProcess({ ...waiting(`pwd > ${where};`), logFile, ready: isReady, workingDirectory: '/' });
  await running.stop();
  expect(await readFile(where, 'utf8')).toBe('/\n');
});

test('what a program had for itself goes when it is stopped', async () => {
  const leftover = await mkdtemp(join(directory, 'own-'));
  const running = await startProcess({ ...waiting(), logFile, ready: isReady, leftover });
  expect(existsSync(leftover)).toBe(true);
  await running.stop();
  expect(existsSync(leftover)).toBe(false);
});

/** A Node process of its own that starts the program as the stack does and then goes on, or ends as told. */
async function startParent(then: string, program: object = waiting()): Promise<ChildProcess> {
  const main = join(directory, 'main.js');
  await writeFile(
    main,
    `const { transformFileSync } = require(${JSON.stringify(require.resolve('@swc/core'))});
     const swc = { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } };
     require.extensions['.ts'] = (module, file) => module._compile(transformFileSync(file, swc).code, file);
     const { startProcess } = require(${JSON.stringify(join(__dirname, '../../../dev/process.ts'))});
     const ready = async () => require('node:fs').existsSync(${JSON.stringify(pidFile)});
     startProcess({ ...${JSON.stringify({ ...program, logFile })}, ready }).then((running) => {
       console.log('started');
       ${then}
     });`,
  );
  return spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'ignore'] });
}

test.each(['SIGKILL', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'a program dies with a parent that gets %s',
  async (signal) => {
    const parent = await startParent('');
    await once(parent.stdout!, 'data');
    const pid = await pidOfProgram();
    expect(isAlive(pid)).toBe(true);
    parent.kill(signal);
    await once(parent, 'exit');
    await untilGone(pid);
  },
);

test('a program that does not heed SIGTERM dies with its killed parent all the same', async () => {
  const parent = await startParent('', waiting("trap '' TERM;"));
  await once(parent.stdout!, 'data');
  const pid = await pidOfProgram();
  parent.kill('SIGKILL');
  await untilGone(pid);
}, 20_000);

test('a program whose parent was killed is asked to end in its own way, and what it had for itself goes, too', async () => {
  const leftover = await mkdtemp(join(directory, 'own-'));
  const asked = join(directory, 'asked');
  // A shell that was started in the background never hears SIGINT; other programs do.
  const listen = `process.on('SIGINT', () => { require('node:fs').writeFileSync('${asked}', ''); process.exit(); });`;
  const tell = `require('node:fs').writeFileSync('${pidFile}', String(process.pid)); setInterval(() => undefined, 1000);`;
  const program = { command: process.execPath, args: ['-e', listen + tell], stopSignal: 'SIGINT', leftover };
  const parent = await startParent('', program);
  await once(parent.stdout!, 'data');
  const pid = await pidOfProgram();
  parent.kill('SIGKILL');
  await untilGone(pid);
  expect(existsSync(asked)).toBe(true);
  await untilMissing(leftover);
}, 20_000);

test.each(['process.exit(3)', 'setImmediate(() => { throw new Error("unforeseen"); })'])(
  'a program dies with a parent that ends by %s',
  async (then) => {
    const parent = await startParent(then);
    await once(parent, 'exit');
    await untilGone(await pidOfProgram());
  },
);
