import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { leaveMemoryTo } from '../../packaging/own-memory';
import { quote } from '../../workflows/quote';
import { errorCode } from '../error-code';
import { EXIT, NotStartedError } from '../exit';
import { warn } from '../warn';
import { groupOf } from './group';
import { ENDING, exitCodeOf, TYPED } from './signals';
import type { Witness } from './witness';

export type Environment = Readonly<Record<string, string>>;

/** A running program. It has our terminal, our process group and our standard streams: what it reads and writes does not pass through us. */
export interface Child {
  /**
   * How it ended, as shells number it: its exit code, or 128 and the number of the signal that killed it. A restart is no end. Nor is
   * the end of what it has started itself waited for.
   * @throws NotStartedError if it could not be started, or started again.
   */
  readonly ended: Promise<number>;
  /**
   * Asks it to end, by TERM and at last by KILL, and starts it again with other variables: it never runs twice at a time. One that was asked
   * to end already is left to that, and a signal to end in the meantime calls the new start off. Never fails: `ended` does.
   * @returns whether it was started again; not before what it was started with is in use no more.
   */
  restart(environment: Environment): Promise<boolean>;
  /** Sends it a signal, unless it has ended. */
  signal(name: NodeJS.Signals): void;
  /** Passes on a signal that has just come to this process, unless the program has it already because it came to the whole group. */
  relay(name: NodeJS.Signals): void;
}

export interface ChildOptions {
  /** Of our process group. */
  readonly witness: Witness;
  /** Kills it if it still runs so long after it was asked to end; undefined: never. A restart then waits for ten seconds. */
  readonly killAfterMs?: number | undefined;
}

const RESTART_GRACE_MS = 10_000;

/** Starts a program, without a shell. */
export function startChild(argv: readonly string[], environment: Environment, options: ChildOptions): Child {
  const { killAfterMs, witness } = options;
  let end: (code: number) => void = () => undefined;
  let fail: (error: NotStartedError) => void = () => undefined;
  const ended = new Promise<number>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  let running: ChildProcess | null = null;
  /** What it is to be started with once it has ended. */
  let next: Environment | null = null;
  let isFresh = false;
  /** It may take its time to end, and is not started again for that. */
  let isAskedToEnd = false;
  let kill: NodeJS.Timeout | undefined;
  const restarted: ((isStarted: boolean) => void)[] = [];

  const start = (variables: Environment): boolean => {
    const program = startProgram(argv, variables, onEnd, fail);
    running = program;
    // What came to all just before is heard of only now, and has missed it: better twice than never.
    isFresh = true;
    setImmediate(() =>
      setImmediate(() => {
        isFresh = false;
      }),
    );
    return program !== null;
  };
  const onEnd = (code: number): void => {
    clearTimeout(kill);
    kill = undefined;
    running = null;
    const variables = next;
    next = null;
    if (variables === null) end(code);
    const isStarted = variables !== null && start(variables);
    for (const resolve of restarted.splice(0)) resolve(isStarted);
  };
  const signal = (name: NodeJS.Signals): void => {
    running?.kill(name);
  };
  const killIn = (ms: number): void => {
    kill ??= setTimeout(signal, ms, 'SIGKILL');
  };

  start(environment);
  return {
    ended,
    signal,
    restart: async (variables) => {
      if (running === null) return false;
      if (!isAskedToEnd) {
        next = variables;
        signal('SIGTERM');
        killIn(killAfterMs ?? RESTART_GRACE_MS);
      }
      return new Promise((resolve) => restarted.push(resolve));
    },
    relay: (name) => {
      if (running === null) return;
      if (ENDING.has(name)) next = null;
      if (name === 'SIGTERM') isAskedToEnd = true;
      const program = running;
      const seen = isFresh ? Promise.resolve(false) : witness.sawToo(name);
      void seen.then((isThere) => {
        if (!isThere || hasLeft(program)) program.kill(name);
        const isTyped = isThere && TYPED.has(name);
        if (TYPED.has(name) && !isTyped) isAskedToEnd = true;
        if (killAfterMs !== undefined && ENDING.has(name) && !isTyped && program === running) killIn(killAfterMs);
      });
    },
  };
}

function startProgram(
  [command = '', ...args]: readonly string[],
  variables: Environment,
  onEnd: (code: number) => void,
  onFailure: (error: NotStartedError) => void,
): ChildProcess | null {
  let child: ChildProcess;
  try {
    child = spawn(command, args, { env: variables, stdio: 'inherit' });
  } catch (error) {
    onFailure(notStarted(command, codeOf(error)));
    return null;
  }
  const { pid } = child;
  const isStarted = pid !== undefined;
  child.on('error', (error) => {
    if (!isStarted) onFailure(notStarted(command, codeOf(error)));
    // It has become another user's, as `sudo` does.
    else warn(`a signal could not be passed on to ${quote(command)} (${codeOf(error)}).`);
  });
  if (!isStarted) return null;
  leaveMemoryTo(pid);
  child.once('exit', (code, signal) => {
    onEnd(signal === null ? (code ?? EXIT.problems) : exitCodeOf(signal));
  });
  return child;
}

/** Whether it is in a group of its own by now, as after `setsid`: what comes to ours does not come to it. */
function hasLeft({ pid }: ChildProcess): boolean {
  const its = pid === undefined ? null : groupOf(pid);
  return its !== null && its.own !== groupOf('self')?.own;
}

function notStarted(command: string, code: string): NotStartedError {
  const name = quote(command);
  switch (code) {
    case 'ENOENT':
      return new NotStartedError(EXIT.notFound, `${name} is not there, or the interpreter that its first line names.`);
    case 'E2BIG':
      return new NotStartedError(
        EXIT.notExecutable,
        `${name} cannot be started: its arguments and variables are longer than the system allows (E2BIG). Hand over less with ` +
          '--only-secrets, or large values with --mount.',
      );
    default:
      return new NotStartedError(EXIT.notExecutable, `${name} cannot be started (${code}).`);
  }
}

function codeOf(error: unknown): string {
  const code = errorCode(error);
  return typeof code === 'string' ? code : 'no code';
}
