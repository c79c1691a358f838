import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { embeddedPostgres } from '../dev/postgres-binaries';
import { projectRoot } from '../dev/root';
import { manifest } from '../packaging/package';
import type { BenchTools } from './bench';

const run = promisify(execFile);

/** What figures depend on. Null: it was not to be found out. */
export interface Machine {
  readonly cpu: string | null;
  readonly cores: number;
  /** In GB of 2^30 bytes. */
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  readonly temporal: string | null;
  readonly openbao: string | null;
  readonly postgresql: string | null;
  readonly leasehold: string;
  /** Of Leasehold's repository; `+ changes` if the files are not those of the commit. */
  readonly commit: string | null;
}

const LABELS: Readonly<Record<keyof Machine, string>> = {
  cpu: 'CPU',
  cores: 'Cores',
  memoryGb: 'Memory',
  system: 'System',
  node: 'Node',
  temporal: 'Temporal',
  openbao: 'OpenBao',
  postgresql: 'PostgreSQL',
  leasehold: 'Leasehold',
  commit: 'Commit',
};

/** Asks the programs themselves. PostgreSQL must have been started once, which completes what npm brings. */
export async function lookAtMachine({ temporal, bao }: Pick<BenchTools, 'temporal' | 'bao'>): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? null,
    cores: availableParallelism(),
    memoryGb: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    system: await systemName(),
    node: process.versions.node,
    temporal: await say(temporal, '--version'),
    openbao: await say(bao, 'version'),
    postgresql: await say(join(embeddedPostgres(), 'bin', 'postgres'), '--version'),
    leasehold: manifest().version,
    commit: await commitOf(projectRoot()),
  };
}

/** Names and values as a person reads them. */
export function describeMachine(machine: Machine): readonly (readonly [string, string])[] {
  const names = Object.keys(LABELS) as (keyof Machine)[];
  return names.map((name) => {
    const value = machine[name];
    return [LABELS[name], value === null ? 'not known' : `${value}${name === 'memoryGb' ? ' GB' : ''}`];
  });
}

async function systemName(): Promise<string> {
  const kernel = `${type()} ${release()}`;
  try {
    const name = /^PRETTY_NAME="?(.*?)"?$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1];
    return name === undefined ? kernel : `${name} (${kernel})`;
  } catch {
    return kernel;
  }
}

async function commitOf(root: string): Promise<string | null> {
  const commit = await say('git', '-C', root, 'rev-parse', '--short=12', 'HEAD');
  if (commit === null) return null;
  const changes = await say('git', '-C', root, 'status', '--porcelain');
  return changes === '' ? commit : `${commit} + changes`;
}

/** The first line that a program writes; null if it cannot be run or fails. */
async function say(command: string, ...args: readonly string[]): Promise<string | null> {
  try {
    const { stdout } = await run(command, args, { timeout: 20_000 });
    return stdout.trim().split('\n')[0] ?? '';
  } catch {
    return null;
  }
}
