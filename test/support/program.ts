import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A built program in a process of its own, without a terminal. */
export interface Program {
  readonly ended: Promise<Ended>;
  /** What it has written to standard error so far. */
  said(): string;
  signal(name: NodeJS.Signals): void;
  /** Reads no more of its standard output, as `head` does once it has enough. */
  leave(): void;
}

export interface ProgramOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  /** What it finds on its standard input. Default: nothing. */
  readonly input?: string;
}

/** Without the AWS SDK's advice to leave Node 20. */
const QUIET = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

/** @param main under dist/, e.g. `cli/main.js`. */
export function startProgram(main: string, args: readonly string[], options: ProgramOptions): Program {
  const child = spawn(process.execPath, [join(__dirname, '../../dist', main), ...args], {
    cwd: options.directory,
    // Not the settings of whoever runs the tests.
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      XDG_CONFIG_HOME: options.directory,
      ...QUIET,
      ...options.environment,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // It may end without reading it.
  child.stdin.on('error', () => undefined).end(options.input);
  const stopWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', stopWithUs);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => {
    process.removeListener('exit', stopWithUs);
    return { code: code as number | null, ...output };
  });
  return {
    ended,
    said: () => output.stderr,
    signal: (name) => void child.kill(name),
    leave: () => {
      child.stdout.destroy();
    },
  };
}
