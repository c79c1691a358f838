import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { provided } from './stack';

/** A home directory for Doppler's own command line, which knows of one API alone. */
export interface DopplerHome {
  /** Where its programs run. */
  readonly directory: string;
  /** Runs it to its end. */
  run(args: readonly string[], environment?: Environment): Promise<Ran>;
  /** Lets it run; what is still running is killed with the home. */
  start(args: readonly string[], environment?: Environment): RunningDoppler;
  close(): Promise<void>;
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningDoppler {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<Ran>;
}

type Environment = Readonly<Record<string, string>>;

/** Beside its API it speaks to nobody: a proxy that is not there keeps it from everything outside of this machine. */
const NOWHERE = 'http://127.0.0.1:9';

export async function openDopplerHome(url: string, token: string): Promise<DopplerHome> {
  const { doppler, directory: base } = provided();
  const home = await mkdtemp(join(base, 'doppler-'));
  const directory = join(home, 'work');
  const config = join(home, 'config');
  await mkdir(directory);
  await mkdir(config);
  await writeFile(join(config, '.doppler.yaml'), 'analytics:\n  disable: true\nflags:\n  analytics: false\n');
  const running = new Set<ChildProcess>();

  const start = (args: readonly string[], environment: Environment = {}): RunningDoppler => {
    const child = spawn(doppler, ['--no-check-version', ...args], {
      cwd: directory,
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        HTTPS_PROXY: NOWHERE,
        HTTP_PROXY: NOWHERE,
        DOPPLER_CONFIG_DIR: config,
        DOPPLER_API_HOST: url,
        DOPPLER_TOKEN: token,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
    child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
    running.add(child);
    const ended = new Promise<Ran>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        running.delete(child);
        resolve({ code, stdout, stderr });
      });
    });
    return { child, stdout: () => stdout, stderr: () => stderr, ended };
  };

  return {
    directory,
    start,
    run: (args, environment) => start(args, environment).ended,
    close: async () => {
      for (const child of running) child.kill('SIGKILL');
      await rm(home, { recursive: true, force: true });
    },
  };
}
