import { readdir, readFile } from 'node:fs/promises';
import { lookAtProcesses } from '../dev/proc';
import type { Stat } from '../dev/proc';

/** What programs hold at this moment. Null where the system does not tell: only Linux has /proc. */
export interface Usage {
  /** In memory, in MB of 2^20 bytes. What several processes share is counted for each. */
  readonly residentMb: number | null;
  /** In user mode and in the kernel, since they were started. */
  readonly cpuSeconds: number | null;
  /** Open files, sockets and the like. */
  readonly handles: number | null;
}

const UNKNOWN: Usage = { residentMb: null, cpuSeconds: null, handles: null };

/** The sum over a process group, all null if it cannot be told. @throws Error if there is no such group. */
export async function usageOf(group: number): Promise<Usage> {
  if (process.platform !== 'linux') return UNKNOWN;
  const mine = await lookAtAll(group);
  if (mine.length === 0) throw new Error(`There is no process of group ${group} any more: the program has ended.`);
  const sum = (of: (each: Looked) => number): number => mine.reduce((total, each) => total + of(each), 0);
  return {
    residentMb: sum(({ residentKb }) => residentKb) / 1_024,
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
    handles: sum(({ handles }) => handles),
  };
}

interface Looked {
  readonly residentKb: number;
  readonly cpuSeconds: number;
  readonly handles: number;
}

function lookAtAll(group: number): Promise<readonly Looked[]> {
  return lookAtProcesses((stat) => look(stat, group));
}

/** Null if it is of another group, or has ended. */
async function look({ pid, isOver, group: found, cpuSeconds }: Stat, group: number): Promise<Looked | null> {
  if (isOver || found !== group) return null;
  const [status, handles] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readdir(`/proc/${pid}/fd`).then(({ length }) => length),
  ]);
  return { residentKb: parseResident(status), cpuSeconds, handles };
}

/** In kB. @param status as in /proc/<pid>/status, which says nothing of it for a process that has ended and was not asked for. */
export function parseResident(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
}
