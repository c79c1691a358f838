import { readdir, readFile, readlink } from 'node:fs/promises';

/** Which of some processes has the connection that leaves from this port of the loopback address; null: none, or nobody can tell. */
export async function callerOf(port: number | undefined, pids: readonly number[]): Promise<number | null> {
  if (port === undefined) return null;
  const inode = await inodeOf(port);
  if (inode === null) return null;
  for (const pid of pids) if (await holds(pid, `socket:[${inode}]`)) return pid;
  return null;
}

const LOOPBACK = '0100007F';

/** Linux's list of connections: number, local and remote address in hex, state, queues, timers, retransmits, user, time-out, inode. */
async function inodeOf(port: number): Promise<string | null> {
  const local = `${LOOPBACK}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const table = await readFile('/proc/net/tcp', 'utf8').catch(() => '');
  const row = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find((fields) => fields[1] === local && fields[9] !== '0');
  return row?.[9] ?? null;
}

async function holds(pid: number, socket: string): Promise<boolean> {
  const directory = `/proc/${pid}/fd`;
  const names = await readdir(directory).catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(`${directory}/${name}`).catch(() => '')));
  return targets.includes(socket);
}
