import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errorCode } from '../../cli/error-code';
import { lookAtProcesses } from '../../dev/proc';
import { treeOf } from './tree';

/** A thread that begins between a look and the command is met by the next look. */
const LOOKS = 5;

/**
 * Runs `part` while this program and all that it has started share so many cores, and gives back what they had. Clocks and the system
 * itself keep all.
 * @throws Error where the system has no `taskset`: only Linux.
 */
export async function onCores<T>(count: number, part: () => Promise<T>): Promise<T> {
  if (process.platform !== 'linux') throw new Error('only Linux tells a program which cores it may use.');
  const had = await coresOf('/proc/self/status');
  await confine(had.slice(0, count));
  try {
    return await part();
  } finally {
    await confine(had);
  }
}

async function confine(cores: readonly number[]): Promise<void> {
  const list = cores.join(',');
  for (let look = 0; look < LOOKS; look += 1) {
    const others = await elsewhere(list);
    if (others.length === 0) return;
    for (const pid of others) await moveTo(list, pid);
  }
  throw new Error(`not all processes could be moved to the cores ${list}.`);
}

/** Those of this program's processes of which a thread may use other cores. */
async function elsewhere(list: string): Promise<readonly number[]> {
  const looked = await lookAtProcesses(async (stat) => {
    const threads = await readdir(`/proc/${stat.pid}/task`);
    const lists = await Promise.all(
      threads.map(async (thread) => (await coresOf(`/proc/${stat.pid}/task/${thread}/status`)).join(',')),
    );
    return { ...stat, isElsewhere: !stat.isOver && lists.some((each) => each !== list) };
  });
  return treeOf(looked, process.pid)
    .filter(({ isElsewhere }) => isElsewhere)
    .map(({ pid }) => pid);
}

async function moveTo(list: string, pid: number): Promise<void> {
  try {
    await promisify(execFile)('taskset', ['--all-tasks', '--cpu-list', '--pid', list, String(pid)]);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') throw new Error('there is no taskset, which util-linux brings.');
    // One that has ended meanwhile is not there any more at the next look; any other is met again.
  }
}

/** @param file as /proc/<pid>/status. @returns the cores that the thread may use, smallest first. */
export async function coresOf(file: string): Promise<readonly number[]> {
  const [, list] = /^Cpus_allowed_list:\s*(\S+)/m.exec(await readFile(file, 'utf8')) ?? [];
  if (list === undefined) throw new Error(`${file} does not tell which cores may be used.`);
  return parseCoreList(list);
}

/** As the kernel writes it: `0-3,8`. */
export function parseCoreList(list: string): readonly number[] {
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    if (first === undefined || last === undefined) return [];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
