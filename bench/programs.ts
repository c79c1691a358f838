import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess } from '../dev/process';
import type { RunningProcess } from '../dev/process';
import { projectRoot } from '../dev/root';
import { startTemporalServer } from '../dev/temporal-server';
import { usageOf } from './usage';
import type { Usage } from './usage';

/** What a deployment is made of. */
export type Program = 'temporal' | 'worker' | 'api';

/** The programs of a deployment, each of which can be killed and started again where it was. */
export interface Programs {
  /** Waits until it says that it is ready. @throws Error if it runs already. */
  start(program: Program): Promise<void>;
  /** kill -9; waits until it is gone. */
  kill(program: Program): Promise<void>;
  usage(program: Program): Promise<Usage>;
  /** Ends all that run, also if one does not end well: that is told afterwards. */
  stop(): Promise<void>;
}

export interface ProgramsOptions {
  /** For their logs. */
  readonly directory: string;
  readonly temporalBinary: string;
  readonly databaseFile: string;
  readonly ports: { readonly temporal: number; readonly api: number };
  readonly configFile: string;
  readonly namespace: string;
  /** Added to what the worker finds. */
  readonly workerEnvironment: Readonly<Record<string, string>>;
}

/** In the order in which they need each other. */
export const PROGRAMS: readonly Program[] = ['temporal', 'worker', 'api'];

export function createPrograms(options: ProgramsOptions): Programs {
  const { directory, ports, configFile, namespace, workerEnvironment } = options;
  const running = new Map<Program, RunningProcess>();
  let starts = 0;
  const environment = {
    TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
    TEMPORAL_NAMESPACE: namespace,
    NODE_ENV: 'production',
  };
  /** With a log of its own, in which nothing is said before it is. */
  const ours = (main: string, said: string, flags: readonly string[], added: Readonly<Record<string, string>>) => {
    starts += 1;
    const logFile = join(directory, `${main}-${starts}.log`);
    return startProcess({
      command: process.execPath,
      args: [join(projectRoot(), 'dist', main, 'main.js'), '--config', configFile, ...flags],
      environment: { ...environment, ...added },
      logFile,
      ready: async () => (await readFile(logFile, 'utf8')).includes(said),
    });
  };
  const starters: Readonly<Record<Program, () => Promise<RunningProcess>>> = {
    temporal: () => startTemporal(options),
    worker: () => ours('worker', 'The worker is ready.', [], workerEnvironment),
    // There is no balancer that must notice.
    api: () => ours('api', 'The API is ready.', ['--listen', `127.0.0.1:${ports.api}`], { LEASEHOLD_API_LEAVE: '0s' }),
  };
  const found = (program: Program): RunningProcess => {
    const process = running.get(program);
    if (process === undefined) throw new Error(`The program ${program} does not run: start it first.`);
    return process;
  };
  return {
    start: async (program) => {
      if (running.has(program)) throw new Error(`The program ${program} runs already: kill it first.`);
      running.set(program, await starters[program]());
    },
    kill: async (program) => {
      await found(program).kill();
      running.delete(program);
    },
    usage: async (program) => usageOf(found(program).pid),
    stop: async () => {
      const problems: unknown[] = [];
      for (const program of PROGRAMS.toReversed()) {
        await running
          .get(program)
          ?.stop()
          .catch((error: unknown) => problems.push(error));
      }
      running.clear();
      if (problems.length > 0) throw problems[0];
    },
  };
}

/** What each of them uses, by its name. */
export async function usagesOf({ usage }: Pick<Programs, 'usage'>): Promise<Readonly<Record<string, Usage>>> {
  return Object.fromEntries(await Promise.all(PROGRAMS.map(async (each) => [each, await usage(each)] as const)));
}

/** On the same port as before, or not at all: all others know it by that. */
async function startTemporal(options: ProgramsOptions): Promise<RunningProcess> {
  const { temporalBinary: binary, databaseFile, ports, directory } = options;
  const logFile = join(directory, 'temporal.log');
  const server = await startTemporalServer({ binary, databaseFile, port: ports.temporal, headless: true, logFile });
  if (server.address === `127.0.0.1:${ports.temporal}`) return server;
  await server.stop();
  throw new Error(`Another program has taken port ${ports.temporal}, where Temporal was to be: run it again.`);
}
