import { lookAtProcesses } from '../../dev/proc';
import type { Stat } from '../../dev/proc';

export type Process = Pick<Stat, 'pid' | 'parent' | 'cpuSeconds' | 'endedChildrenCpuSeconds'>;

/**
 * CPU seconds of a program and of all that it started, whatever process groups those are in: PostgreSQL puts each of its sessions into
 * one of its own. Null where the system does not tell: only Linux has /proc.
 */
export async function treeCpuSeconds(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  return sumOfTree(await lookAtProcesses((stat) => Promise.resolve(stat)), pid);
}

/** @throws Error if it has ended. */
export function sumOfTree(processes: readonly Process[], root: number): number {
  const top = processes.find(({ pid }) => pid === root);
  if (top === undefined) throw new Error(`Process ${root} has ended.`);
  const children = new Map<number, Process[]>();
  for (const each of processes) children.set(each.parent, [...(children.get(each.parent) ?? []), each]);
  const sum = ({ pid, cpuSeconds, endedChildrenCpuSeconds }: Process): number =>
    (children.get(pid) ?? []).reduce((total, child) => total + sum(child), cpuSeconds + endedChildrenCpuSeconds);
  return sum(top);
}
