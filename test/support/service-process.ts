import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A program that runs until it is stopped, as it is run in production: built, and in a process of its own. */
export interface ServiceProcess {
  readonly pid: number;
  /** Everything written to standard output and error. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Waits until it has ended by itself; answers the exit code. */
  ended(): Promise<number | null>;
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; answers the exit code. A stopped process is woken first. */
  stop(): Promise<number | null>;
}

/** Where a program runs. Default: where we do, with the limits that we have. */
export interface ServicePlace {
  readonly directory: string;
  /** It may write core dumps, however large. */
  readonly dumpsCore: boolean;
}

const DUMPING = ['sh', '-c', 'ulimit -c unlimited; exec "$@"', 'sh'];

/**
 * Starts a program and waits until it is ready.
 * @param main under dist/, e.g. `worker/main.js`.
 * @param ready what it says once it is.
 */
export async function startService(
  main: string,
  ready: string,
  flags: readonly string[],
  environment: Readonly<Record<string, string>>,
  place?: ServicePlace,
): Promise<ServiceProcess> {
  const program = [process.execPath, join(__dirname, '../../dist', main), ...flags];
  const [command = '', ...args] = place?.dumpsCore === true ? [...DUMPING, ...program] : program;
  const child = spawn(command, args, {
    cwd: place?.directory,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = once(child, 'exit');
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const stopWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', stopWithUs);
  void ended.then(() => process.removeListener('exit', stopWithUs));
  const isReady = new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes(ready)) resolve();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    void ended.then(() => {
      reject(new Error(`${main} ended at its start: ${output}`));
    });
  });
  await isReady;
  return {
    pid: child.pid!,
    output: () => output,
    signal: (name) => void child.kill(name),
    ended: async () => {
      await ended;
      return child.exitCode;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    stop: async () => {
      if (!isOver()) {
        child.kill('SIGCONT');
        child.kill('SIGTERM');
        await ended;
      }
      return child.exitCode;
    },
  };
}
