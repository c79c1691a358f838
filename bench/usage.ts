import { readdir, readFile } from 'node:fs/promises';
import { errorCode } from '../cli/error-code';

/** What programs hold at this moment. Null where the system does not tell: only Linux has /proc. */
export interface Usage {
  /** In memory, in MB of 2^20 bytes. What several processes share is counted for each. */
  readonly residentMb: number | null;
  /** In user mode and in the kernel, since they were started. */
  readonly cpuSeconds: number | null;
  /** Open files, sockets and the like. */
  readonly handles: number | null;
}

/** What a line of /proc/<pid>/stat says. */
export interface Stat {
  /** Whether it has ended, and nobody has asked for its exit code yet. It holds nothing any more. */
  readonly isOver: boolean;
  readonly group: number;
  readonly cpuSeconds: number;
}

const UNKNOWN: Usage = { residentMb: null, cpuSeconds: null, handles: null };
/** USER_HZ, which Linux tells to programs as 100 whatever the kernel's own clock. */
const TICKS_PER_SECOND = 100;

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

/** Whether a process of that group runs. */
export async function isRunning(group: number): Promise<boolean> {
  if (process.platform === 'linux') return (await lookAtAll(group)).length > 0;
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

async function lookAtAll(group: number): Promise<readonly Looked[]> {
  const all = await Promise.all((await readdir('/proc')).filter(isPid).map((pid) => look(pid, group)));
  return all.filter((each) => each !== null);
}

interface Looked {
  readonly residentKb: number;
  readonly cpuSeconds: number;
  readonly handles: number;
}

/** Null if it is of another group, or has ended meanwhile. */
async function look(pid: string, group: number): Promise<Looked | null> {
  try {
    const { isOver, group: found, cpuSeconds } = parseStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
    if (isOver || found !== group) return null;
    const [status, handles] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8'),
      readdir(`/proc/${pid}/fd`).then(({ length }) => length),
    ]);
    return { residentKb: parseResident(status), cpuSeconds, handles };
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(String(errorCode(error)))) return null;
    throw error;
  }
}

/** @param stat as in /proc/<pid>/stat: the name of the program is in brackets and may hold blanks and brackets. */
export function parseStat(stat: string): Stat {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    isOver: /^[ZX]/.test(fields[0] ?? ''),
    group: field(5),
    cpuSeconds: (field(14) + field(15)) / TICKS_PER_SECOND,
  };
}

/** In kB. @param status as in /proc/<pid>/status, which says nothing of it for a process that has ended and was not asked for. */
export function parseResident(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
}

function isPid(name: string): boolean {
  return /^\d+$/.test(name);
}
