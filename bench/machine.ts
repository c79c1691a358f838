import { execFile } from 'node:child_process';
import { readFile, statfs } from 'node:fs/promises';
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
  /** On which kind of file system the bench had its files: where Temporal and OpenBao wrote. */
  readonly files: string | null;
  readonly leasehold: string;
  /** Of Leasehold's repository when the bench began; `+ changes` if its code was not that of the commit. */
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
  files: 'File system of the files',
  leasehold: 'Leasehold',
  commit: 'Commit',
};

/**
 * Asks the programs themselves. PostgreSQL must have been started once, which completes what npm brings.
 * @param directory where the bench had its files.
 * @param commit as it was found when the bench began.
 */
export async function lookAtMachine(
  { temporal, bao }: Pick<BenchTools, 'temporal' | 'bao'>,
  directory: string,
  commit: string | null,
): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? null,
    cores: availableParallelism(),
    memoryGb: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    system: await systemName(),
    node: process.versions.node,
    temporal: await say(temporal, '--version'),
    openbao: await say(bao, 'version'),
    postgresql: await say(join(embeddedPostgres(), 'bin', 'postgres'), '--version'),
    files: await fileSystemOf(directory),
    leasehold: manifest().version,
    commit,
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

/** What the code is that is measured: asked before, as who waits may go on writing meanwhile. Documents are no code. */
export async function lookAtCommit(): Promise<string | null> {
  const root = projectRoot();
  const commit = await say('git', '-C', root, 'rev-parse', '--short=12', 'HEAD');
  if (commit === null) return null;
  const code = ['.', ':(exclude)docs', ':(exclude)*.md'];
  const changes = await say('git', '-C', root, 'status', '--porcelain', '--', ...code);
  return changes === '' ? commit : `${commit} + changes`;
}

/** As Linux numbers them. */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'XFS'],
  [0x9123683e, 'Btrfs'],
  [0x2fc12fc1, 'ZFS'],
  [0xf2f52010, 'F2FS'],
  [0x794c7630, 'overlay'],
  [0x6969, 'NFS'],
  [0x01021994, 'tmpfs, in memory'],
  [0x858458f6, 'ramfs, in memory'],
]);

async function fileSystemOf(directory: string): Promise<string | null> {
  if (process.platform !== 'linux') return null;
  const { type: number } = await statfs(directory);
  return FILE_SYSTEMS.get(number) ?? `0x${number.toString(16)}`;
}

/** What a reader must know of a machine whose files were in memory: nothing was written to a disk. */
export function notesOn({ files }: Pick<Machine, 'files'>): readonly string[] {
  if (files?.endsWith('in memory') !== true) return [];
  return [
    `The files of the bench were in memory (${files}): where it is said that something is on disk, it did not wait for any. Set TMPDIR to a directory on one.`,
  ];
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
