import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A worker as it is run in production: the built program in a process of its own. */
export interface WorkerProcess {
  readonly pid: number;
  /** Everything written to standard output and error. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; answers the exit code. A stopped process is woken first. */
  stop(): Promise<number | null>;
}

const MAIN = join(__dirname, '../../dist/worker/main.js');

export async function startWorkerProcess(
  flags: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [MAIN, ...flags], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = once(child, 'exit');
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const stopWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', stopWithUs);
  void ended.then(() => process.removeListener('exit', stopWithUs));
  const ready = new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes('The worker is ready.')) resolve();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    void ended.then(() => {
      reject(new Error(`the worker ended at its start: ${output}`));
    });
  });
  await ready;
  return {
    pid: child.pid!,
    output: () => output,
    signal: (name) => void child.kill(name),
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
