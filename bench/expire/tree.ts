import type { Stat } from '../../dev/proc';

/**
 * A program and all that it started, whatever process groups those are in: PostgreSQL puts each of its sessions into one of its own.
 * @throws Error if it has ended.
 */
export function treeOf<T extends Pick<Stat, 'pid' | 'parent'>>(processes: readonly T[], root: number): readonly T[] {
  const top = processes.find(({ pid }) => pid === root);
  if (top === undefined) throw new Error(`Process ${root} has ended.`);
  const children = new Map<number, T[]>();
  for (const each of processes) children.set(each.parent, [...(children.get(each.parent) ?? []), each]);
  const under = (each: T): readonly T[] => [each, ...(children.get(each.pid) ?? []).flatMap(under)];
  return under(top);
}
