import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Writable } from 'node:stream';

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
  /** SIGTERM, and SIGKILL if that is of no use; answers the exit code, null after SIGKILL. A stopped process is woken first. */
  stop(): Promise<number | null>;
}

/** Where a program runs. Default: where we do, with the limits that we have. */
export interface ServicePlace {
  readonly directory: string;
  /** It may write core dumps, however large. */
  readonly dumpsCore: boolean;
}

/** More than any takes of itself in a test. */
const STOP_WITHIN_MS = 60_000;

const DUMPING = ['sh', '-c', 'ulimit -c unlimited; exec "$@"', 'sh'];

/** A program that may not be ready yet. */
export interface SpawnedService extends ServiceProcess {
  /** Rejects if it ends before it is. */
  readonly ready: Promise<void>;
  /** As {@link ServiceProcess.ended}, and waits until the last that it wrote was read. */
  closed(): Promise<number | null>;
}

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
  const service = spawnService(main, ready, flags, environment, place === undefined ? {} : { place });
  await service.ready;
  return service;
}

export interface SpawnOptions {
  /** Gets what it writes, which is then remembered no longer than until it is ready. */
  readonly log?: Writable;
  readonly place?: ServicePlace;
}

export function spawnService(
  main: string,
  ready: string,
  flags: readonly string[],
  environment: Readonly<Record<string, string>>,
  { log, place }: SpawnOptions = {},
): SpawnedService {
  const program = [process.execPath, join(__dirname, '../../dist', main), ...flags];
  const [command = '', ...args] = place?.dumpsCore === true ? [...DUMPING, ...program] : program;
  const child = spawn(command, args, {
    cwd: place?.directory,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let isRemembering = true;
  const ended = once(child, 'exit');
  const closed = once(child, 'close');
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const stopWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', stopWithUs);
  void ended.then(() => process.removeListener('exit', stopWithUs));
  const isReady = new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      log?.write(chunk);
      if (!isRemembering) return;
      output += chunk.toString();
      if (!output.includes(ready)) return;
      resolve();
      isRemembering = log === undefined;
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    void ended.then(() => {
      reject(new Error(`${main} ended at its start: ${output}`));
    });
  });
  isReady.catch(() => undefined);
  return {
    pid: child.pid!,
    ready: isReady,
    closed: async () => {
      await closed;
      return child.exitCode;
    },
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
        const kill = setTimeout(stopWithUs, STOP_WITHIN_MS);
        await ended;
        clearTimeout(kill);
      }
      return child.exitCode;
    },
  };
}
