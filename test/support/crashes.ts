import { readFileSync } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFull } from './full';
import type { ServicePlace, ServiceProcess } from './service-process';

/** How a process may come to its end by itself or by others. */
export type Crash = 'SIGKILL' | 'SIGSEGV' | 'SIGABRT' | 'abort' | 'throw' | 'reject' | 'exhaust';

/** Those that are tried: one of each kind, or in a run that takes its time all. */
export const CRASHES: readonly Crash[] = [
  ...(['SIGKILL', 'SIGSEGV', 'abort', 'reject', 'exhaust'] as const),
  ...(isFull ? (['SIGABRT', 'throw'] as const) : []),
];

/** Does one of them from within, at SIGUSR2: `LAB_CRASH` says which. What is thrown repeats `LAB_THROWN` in all ways. */
const SCRIPT = `
const fault = () => {
  const text = process.env.LAB_THROWN;
  return Object.assign(new Error('failed: ' + text, { cause: new Error(text) }), { code: text, request: { headers: { authorization: text } } });
};
const deeds = {
  abort: () => process.abort(),
  throw: () => { throw fault(); },
  reject: () => void Promise.reject(fault()),
  exhaust: () => { for (const kept = []; ; ) kept.push(new Array(10_000).fill({})); },
};
process.on('SIGUSR2', () => setImmediate(() => deeds[process.env.LAB_CRASH]()));
`;

/** A directory in which a process may leave all that there is to be left, and what it needs to be made to crash. */
export interface CrashSite {
  readonly place: ServicePlace;
  readonly environment: Readonly<Record<string, string>>;
}

/** @param thrown text that stands in what is thrown. */
export async function prepareCrash(base: string, crash: Crash, thrown: string): Promise<CrashSite> {
  const directory = join(base, crash);
  const script = join(base, 'crash.cjs');
  await mkdir(join(directory, 'tmp'), { recursive: true });
  await writeFile(script, SCRIPT);
  const options = ['--require', script, '--max-old-space-size=200', '--report-on-fatalerror', '--report-on-signal'];
  options.push('--report-uncaught-exception', `--report-dir=${directory}`);
  return {
    place: { directory, dumpsCore: true },
    environment: {
      LAB_CRASH: crash,
      LAB_THROWN: thrown,
      NODE_OPTIONS: options.join(' '),
      TMPDIR: join(directory, 'tmp'),
    },
  };
}

/** Makes it crash, and waits until it has ended. */
export async function crashNow(service: Pick<ServiceProcess, 'signal' | 'ended'>, crash: Crash): Promise<void> {
  service.signal(crash.startsWith('SIG') ? (crash as NodeJS.Signals) : 'SIGUSR2');
  await service.ended();
}

/** More than a core dump without memory has: registers, and what the system says of the process. Pieces of any value may be in registers. */
const WITHOUT_MEMORY_BYTES = 256 * 1024;

/** Core dumps in a directory, none of which may hold memory. */
export async function emptyCoresIn(directory: string): Promise<string[]> {
  const cores = await coresIn(directory);
  for (const core of cores) expect((await stat(core)).size).toBeLessThan(WITHOUT_MEMORY_BYTES);
  return cores;
}

/** Core dumps in a directory. */
export async function coresIn(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => name.startsWith('core')).map((name) => join(directory, name));
}

/** What of a process's memory would be in its core dump; null: this system does not say. */
export function dumpedOf(pid: number | 'self'): number | null {
  try {
    return parseInt(readFileSync(`/proc/${pid}/coredump_filter`, 'latin1'), 16);
  } catch {
    return null;
  }
}

/** Whether this machine writes a core dump into the directory of the process that crashed. */
export function dumpsHere(): boolean {
  try {
    return /^core/.test(readFileSync('/proc/sys/kernel/core_pattern', 'latin1'));
  } catch {
    return false;
  }
}
