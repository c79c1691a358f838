import { createWriteStream, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnService } from '../support/service-process';
import type { Pauses } from './pauses';
import { PROCESSES } from './plan-types';
import type { ProcessName } from './plan-types';
import { supervise } from './supervised';
import type { Life, Supervised } from './supervised';
import type { Break } from './world-types';

/** One of our own programs. */
export interface Program extends Supervised {
  readonly name: ProcessName;
  readonly auditFile: string;
  /** Starts it with its clock off by so much, and after so long once more with the right one. */
  shiftClock(offsetMs: number, forMs: number): Promise<boolean>;
}

export interface ProgramsOptions {
  readonly directory: string;
  readonly configFile: string;
  readonly ports: Readonly<Record<'api-1' | 'api-2', number>>;
  /** For all of them. */
  readonly environment: Readonly<Record<string, string>>;
  /** The orchestrator's credentials, for workers alone. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly broken: Break | null;
  readonly pauses: Pauses;
  readonly isCalmSince: (instant: number) => boolean;
  readonly onCrash: (process: ProcessName, how: string) => void;
}

/**
 * What docs/upgrades.md says that they may take, with the timings of the world and a machine that may be busy: a worker 43 s for an
 * attempt that does not stop, an API 80 s for requests under way.
 */
const ENDS_WITHIN_MS = { worker: 60_000, api: 100_000 };

export async function startPrograms(options: ProgramsOptions): Promise<Readonly<Record<ProcessName, Program>>> {
  const started = await Promise.all(PROCESSES.map(async (name) => [name, await startProgram(name, options)] as const));
  return Object.fromEntries(started) as Record<ProcessName, Program>;
}

async function startProgram(name: ProcessName, options: ProgramsOptions): Promise<Program> {
  const { directory, pauses, isCalmSince, onCrash } = options;
  const auditFile = join(directory, 'audit', `${name}.jsonl`);
  const temporary = join(directory, 'tmp', name);
  await mkdir(join(directory, 'audit'), { recursive: true });
  await mkdir(temporary, { recursive: true });
  const logFile = join(directory, `${name}.log`);
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  let offsets: { readonly offsetMs: number }[] = [];

  const program = supervise({
    launch: (): Life => {
      const service = spawnService(
        ...commandOf(name, options),
        {
          ...options.environment,
          ...(isWorker(name) ? options.secrets : {}),
          HOME: temporary,
          TMPDIR: temporary,
          LEASEHOLD_AUDIT_FILE: auditFile,
          LEASEHOLD_API_LEAVE: '1s',
          LEASEHOLD_CHAOS_CLOCK_MS: String(offsets.at(-1)?.offsetMs ?? 0),
          LEASEHOLD_CHAOS_SHARED: join(directory, 'tmp'),
          NODE_OPTIONS: preloads(isWorker(name) ? options.broken : null),
          AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        },
        { log },
      );
      return {
        pid: service.pid,
        ready: service.ready,
        ended: service.closed(),
        signal: (name) => {
          service.signal(name);
        },
      };
    },
    pauses,
    isCalmSince,
    onCrash: (how) => {
      onCrash(name, `${how}; its log ends with ${lastOf(logFile)}`);
    },
    endsWithinMs: isWorker(name) ? ENDS_WITHIN_MS.worker : ENDS_WITHIN_MS.api,
    endsWell: true,
  });

  return {
    ...program,
    name,
    auditFile,
    shiftClock: async (offsetMs, forMs) => {
      const own = { offsetMs };
      offsets.push(own);
      const hit = await program.kill(0);
      await program.up();
      await pauses.pause(forMs);
      offsets = offsets.filter((offset) => offset !== own);
      await program.kill(0);
      await program.up();
      return hit;
    },
    end: async () => {
      await program.end();
      await new Promise<void>((resolve) => log.end(resolve));
    },
  };
}

/** What it said last, which is why it ended if anything is. */
function lastOf(logFile: string): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-2).join(' ').slice(-1_000);
}

function isWorker(name: ProcessName): boolean {
  return name.startsWith('worker');
}

function commandOf(name: ProcessName, { configFile, ports }: ProgramsOptions): [string, string, string[]] {
  const flags = ['--config', configFile];
  switch (name) {
    case 'worker-1':
    case 'worker-2':
      return ['worker/main.js', 'The worker is ready.', flags];
    case 'api-1':
    case 'api-2':
      return ['api/main.js', 'The API is ready.', [...flags, '--listen', `127.0.0.1:${ports[name]}`]];
  }
}

/** As NODE_OPTIONS. */
function preloads(broken: Break | null): string {
  const files = ['clock.cjs', ...(broken === null ? [] : [`breaks/${broken}.cjs`])];
  return files.map((file) => `--require ${JSON.stringify(join(__dirname, file))}`).join(' ');
}
