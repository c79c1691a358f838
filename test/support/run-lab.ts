import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApiLab } from './api-lab';
import type { ApiLab } from './api-lab';
import { filesUnder } from './canaries';
import { eventually } from './lab';
import { startProgram } from './program';
import type { Ended, Program } from './program';

/** An API lab below which shell scripts are run by `leasehold run`. */
export interface RunLab extends ApiLab {
  /** Runs a script. All that is written to a home or for a time lies in one directory. */
  run(options: readonly string[], script: string, choice?: RunChoice): Promise<Run>;
  isHeld(leaseId: string): boolean;
  /** Looks again and again whether the provider has it, until told to stop. @returns how often it was gone. */
  watch(leaseId: string): () => number;
  /** Waits until nothing is left of any lease, and fails if a leased value is in a file. */
  cleanUp(): Promise<void>;
}

export interface RunChoice {
  readonly project?: string;
  readonly url?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Run extends Program {
  readonly directory: string;
  /** Lines of a file that the program has written in its working directory. */
  lines(file: string): Promise<readonly string[]>;
}

const ODD = { PATH: '/nowhere', LD_PRELOAD: '/nowhere.so', NODE_OPTIONS: '--no-warnings', PLAIN: 'x' };

/** Tells its lease and lives on. */
export const STAY = 'echo $TOKEN_LEASE_ID >> ids; exec sleep 60';

export async function openRunLab(): Promise<RunLab> {
  // With four seconds between the replacement of a lease and its end, however busy the machine.
  const capped = { integration: 'memory', min_ttl: '1s', default_ttl: '12s', max_ttl: '12s' };
  const other = { type: 'memory', connection: { prefix: 'other' }, limits: { calls_per_second: 1_000 } };
  const duo = { GOOD: { ...capped, max_ttl: '1h' }, BAD: { integration: 'other' } };
  const dozen = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`S${index}`, { integration: 'memory' }]));
  const lab = await openApiLab({
    secrets: { GREETING: 'good day', SHADE: 'from the config' },
    dynamicSecret: { default_ttl: '1m' },
    integrations: { other },
    projects: {
      capped: { configs: { prd: { dynamic_secrets: { ONE: capped, TWO: capped } } } },
      dozen: { configs: { prd: { dynamic_secrets: dozen } } },
      duo: { configs: { prd: { dynamic_secrets: duo } } },
      odd: { configs: { prd: { secrets: ODD } } },
    },
    tokens: { runner: { scopes: ['*'] } },
  });
  const directories: string[] = [];
  const isHeld = (leaseId: string): boolean => lab.provider.of(leaseId).length > 0;
  return {
    ...lab,
    isHeld,
    watch: (leaseId) => {
      let misses = 0;
      const timer = setInterval(() => (misses += isHeld(leaseId) ? 0 : 1), 20);
      return () => {
        clearInterval(timer);
        return misses;
      };
    },
    run: async (options, script, { project = 'backend', url = lab.url, environment = {} } = {}) => {
      const directory = await mkdtemp(join(tmpdir(), 'leasehold-run-'));
      directories.push(directory);
      const args = ['run', '--project', project, '--config', 'prd', ...options, '--', 'sh', '-c', script];
      const program = startProgram('cli/main.js', args, {
        directory,
        environment: {
          HOME: directory,
          TMPDIR: directory,
          LEASEHOLD_HOST: url,
          LEASEHOLD_TOKEN: lab.tokens['runner']!,
          ...environment,
        },
      });
      return {
        ...program,
        ended: program.ended.then(innocent),
        directory,
        lines: async (file) => {
          const text = await readFile(join(directory, file), 'utf8').catch(() => '');
          return text.split('\n').slice(0, -1);
        },
      };
    },
    cleanUp: async () => {
      lab.provider.before = () => undefined;
      await eventually(async () => lab.provider.entities.size === 0, 'everything to be removed');
      for (const directory of directories.splice(0)) {
        for (const file of await filesUnder(directory)) {
          expect(await readFile(file, 'latin1')).not.toContain('canary-');
        }
        await rm(directory, { recursive: true, force: true });
      }
    },
  };
}

export async function untilLines(of: Run, file: string, count: number): Promise<readonly string[]> {
  await eventually(async () => (await of.lines(file)).length >= count, `${count} lines in ${file}`);
  return of.lines(file);
}

function innocent(ended: Ended): Ended {
  expect(ended.stderr).not.toContain('canary-');
  expect(ended.stderr).not.toMatch(/^ {4}at /m);
  return ended;
}
