import { readdir, readFile } from 'node:fs/promises';
import { errorCode } from '../cli/error-code';

/** What Linux tells of a process, as in a line of /proc/<pid>/stat. */
export interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Whether it has ended, and nobody has asked for its exit code yet. It holds nothing any more. */
  readonly isOver: boolean;
  /** In user mode and in the kernel, since it was started. */
  readonly cpuSeconds: number;
  /** The same of its children that have ended. */
  readonly endedChildrenCpuSeconds: number;
}

/** USER_HZ, which Linux tells to programs as 100 whatever the kernel's own clock. */
const TICKS_PER_SECOND = 100;

/** @param stat the name of the program is in brackets and may hold blanks and brackets. */
export function parseStat(stat: string): Stat {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    pid: Number.parseInt(stat, 10),
    parent: field(4),
    group: field(5),
    isOver: /^[ZX]/.test(fields[0] ?? ''),
    cpuSeconds: (field(14) + field(15)) / TICKS_PER_SECOND,
    endedChildrenCpuSeconds: (field(16) + field(17)) / TICKS_PER_SECOND,
  };
}

/** What `look` answers of all processes; without those for which it answers null, and those that have ended meanwhile. */
export async function lookAtProcesses<T>(look: (stat: Stat) => Promise<T | null>): Promise<readonly T[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const looked = await Promise.all(
    pids.map(async (pid) => {
      try {
        return await look(parseStat(await readFile(`/proc/${pid}/stat`, 'utf8')));
      } catch (error) {
        if (['ENOENT', 'ESRCH'].includes(String(errorCode(error)))) return null;
        throw error;
      }
    }),
  );
  return looked.filter((each) => each !== null);
}
