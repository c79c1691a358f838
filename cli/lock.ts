import { mkdir, open, readFile, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from './error-code';

// A lock must not outlive its holder, and Node offers no lock that the system would free. So the holder writes its process
// id and touches the file while it works: a dead holder, or an id that now belongs to another process, is told from a live one.

const TOUCH_MS = 5_000;
const SILENT_MS = 30_000;
/** Removing a stale lock takes no time; whoever was killed in it left the guard. */
const GUARD_MS = 10_000;

/**
 * Runs `act` while no other process on this machine holds the same lock file, and waits for its turn before.
 * @param onWait called once with the holder's process id if there is something to wait for.
 */
export async function withLock<T>(file: string, onWait: (pid: number) => void, act: () => Promise<T>): Promise<T> {
  let told = false;
  while (!(await take(file))) {
    if (await isStale(file)) {
      await removeStale(file);
    } else if (!told) {
      const pid = await holderOf(file);
      // Just taken and not yet signed, or just given back: the next look tells.
      told = pid > 0;
      if (told) onWait(pid);
    }
    await sleep(200);
  }
  const touching = setInterval(() => void touch(file), TOUCH_MS);
  touching.unref();
  try {
    return await act();
  } finally {
    clearInterval(touching);
    await rm(file, { force: true });
  }
}

/** Whether a process of this id runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

async function take(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(String(process.pid));
    } catch (error) {
      // A full disk: nobody shall wait for a lock that has no holder.
      await rm(file, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function holderOf(file: string): Promise<number> {
  try {
    return Number(await readFile(file, 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

async function isStale(file: string): Promise<boolean> {
  const pid = await holderOf(file);
  return (pid > 0 && !isAlive(pid)) || (await ageOf(file)) > SILENT_MS;
}

/** One process at a time looks again and removes, so that none removes the lock that its successor has just taken. */
async function removeStale(file: string): Promise<void> {
  const guard = `${file}.guard`;
  try {
    await mkdir(guard);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    if ((await ageOf(guard)) > GUARD_MS) await rm(guard, { recursive: true, force: true });
    return;
  }
  try {
    if (await isStale(file)) await rm(file, { force: true });
  } finally {
    await rmdir(guard);
  }
}

/** Milliseconds since it was touched; 0 if it is gone. */
async function ageOf(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** A lock that was lost meanwhile is no reason to break off: what it guards is complete or is done again. */
async function touch(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now).catch(() => undefined);
}
