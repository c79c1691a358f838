import { readdir, readFile } from 'node:fs/promises';
import { errorCode } from '../../cli/error-code';

/** What a line of /proc/<pid>/stat says of a process and of its children that have ended. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly cpuSeconds: number;
}

const TICKS_PER_SECOND = 100;

/**
 * CPU seconds of a program and of all that it started, whatever process groups those are in: PostgreSQL puts each of its sessions into
 * one of its own. Null where the system does not tell: only Linux has /proc.
 */
export async function treeCpuSeconds(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map(readProcess));
  return sumOfTree(
    found.filter((each) => each !== null),
    pid,
  );
}

/** @throws Error if it has ended. */
export function sumOfTree(processes: readonly Process[], root: number): number {
  const top = processes.find(({ pid }) => pid === root);
  if (top === undefined) throw new Error(`Process ${root} has ended.`);
  const children = new Map<number, Process[]>();
  for (const each of processes) children.set(each.parent, [...(children.get(each.parent) ?? []), each]);
  const sum = ({ pid, cpuSeconds }: Process): number =>
    (children.get(pid) ?? []).reduce((total, child) => total + sum(child), cpuSeconds);
  return sum(top);
}

/** @param stat the name of the program is in brackets and may hold blanks and brackets. */
export function parseProcess(stat: string): Process {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  // Its own time in user mode and in the kernel, and the same of its children that have ended.
  const ticks = field(14) + field(15) + field(16) + field(17);
  return { pid: Number.parseInt(stat, 10), parent: field(4), cpuSeconds: ticks / TICKS_PER_SECOND };
}

/** Null if it has ended meanwhile. */
async function readProcess(pid: string): Promise<Process | null> {
  try {
    return parseProcess(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(String(errorCode(error)))) return null;
    throw error;
  }
}
