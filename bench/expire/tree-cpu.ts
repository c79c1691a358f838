import { lookAtProcesses } from '../../dev/proc';
import type { Stat } from '../../dev/proc';
import { treeOf } from './tree';

type Process = Pick<Stat, 'pid' | 'parent' | 'cpuSeconds' | 'endedChildrenCpuSeconds'>;

/** CPU seconds of a program and of all that it started. Null where the system does not tell: only Linux has /proc. */
export async function treeCpuSeconds(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  return sumOfTree(await lookAtProcesses((stat) => Promise.resolve(stat)), pid);
}

/** @throws Error if it has ended. */
export function sumOfTree(processes: readonly Process[], root: number): number {
  return treeOf(processes, root).reduce(
    (sum, { cpuSeconds, endedChildrenCpuSeconds }) => sum + cpuSeconds + endedChildrenCpuSeconds,
    0,
  );
}
