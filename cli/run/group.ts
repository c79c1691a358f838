import { readFileSync } from 'node:fs';

export interface Group {
  /** The process group of it. */
  readonly own: number;
  /** That in the foreground of its terminal; -1 without one. */
  readonly foreground: number;
}

/** Of a process, as Linux tells it; null where it does not, or if there is no such process. */
export function groupOf(pid: number | 'self'): Group | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { own: Number(fields[2]), foreground: Number(fields[5]) };
  } catch {
    return null;
  }
}
