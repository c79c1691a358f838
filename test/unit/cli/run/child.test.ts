import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from '../../../../cli/run/child';
import type { Child } from '../../../../cli/run/child';
import { NotStartedError } from '../../../../cli/exit';
import { eventually } from '../../../support/base-lab';

/** What comes to the test came to its program, too: nothing is to be passed on. */
const witness = { sawToo: () => Promise.resolve(true) };
const { PATH = '' } = process.env;

let directory: string;
let log: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-child-'));
  log = join(directory, 'log');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** @param onTerm what it does when it is asked to end. */
function start(onTerm: string, killAfterMs?: number): Child {
  const script = `trap '${onTerm}' TERM; echo "$NAME" >> "$LOG"; while :; do sleep 0.02; done`;
  return startChild(['sh', '-c', script], variables('first'), { witness, killAfterMs });
}

function variables(name: string): Record<string, string> {
  return { PATH, NAME: name, LOG: log };
}

async function untilLogged(text: string): Promise<void> {
  await eventually(async () => (await readFile(log, 'utf8').catch(() => '')) === text, `the log to be ${text}`);
}

describe('a restart', () => {
  test('ends the program before it starts it with other variables, and the end is that of the last', async () => {
    const child = start('echo over >> "$LOG"; exit 5');
    await untilLogged('first\n');
    expect(await child.restart(variables('second'))).toBe(true);
    await untilLogged('first\nover\nsecond\n');
    child.signal('SIGKILL');
    expect(await child.ended).toBe(137);
  });

  test('kills a program that does not end', async () => {
    const child = start(':', 100);
    await untilLogged('first\n');
    await child.restart(variables('second'));
    await untilLogged('first\nsecond\n');
    child.signal('SIGKILL');
    await child.ended;
  });

  test('is called off by a signal to end', async () => {
    const child = start('echo asked >> "$LOG"; sleep 0.2; exit 5');
    await untilLogged('first\n');
    const restarted = child.restart(variables('second'));
    child.relay('SIGINT');
    expect(await restarted).toBe(false);
    expect([await child.ended, await readFile(log, 'utf8')]).toEqual([5, 'first\nasked\n']);
  });

  test('leaves a program that was told to end its time, and is not over before: what it has is in use', async () => {
    const child = start('echo asked >> "$LOG"; sleep 0.5; echo left >> "$LOG"; exit 5');
    await untilLogged('first\n');
    child.signal('SIGTERM');
    child.relay('SIGTERM');
    await untilLogged('first\nasked\n');
    expect(await child.restart(variables('second'))).toBe(false);
    expect(await readFile(log, 'utf8')).toBe('first\nasked\nleft\n');
    expect(await child.ended).toBe(5);
  });

  test('of a program that has ended does nothing', async () => {
    const child = startChild(['true'], variables('first'), { witness });
    expect(await child.ended).toBe(0);
    expect(await child.restart(variables('second'))).toBe(false);
    expect(await child.ended).toBe(0);
  });
});

test.each([
  ['what is not there', ['/no/such/program'], 127, /is not there/],
  ['what cannot be run', ['/'], 126, /cannot be started \(EACCES\)/],
  ['too much', ['true', 'x'.repeat(10_000_000)], 126, /longer than the system allows/],
])('%s is not started', async (_, argv, exitCode, sentence) => {
  const error: unknown = await startChild(argv, variables('first'), { witness }).ended.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(NotStartedError);
  expect(error).toMatchObject({ exitCode, message: expect.stringMatching(sentence) });
});
