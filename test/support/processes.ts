import { readdirSync, readFileSync } from 'node:fs';

/** A process of this machine, as the system shows it to others. */
export interface SeenProcess {
  readonly pid: number;
  readonly parent: number;
  /** Separated by blanks. */
  readonly commandLine: string;
  readonly environment: Buffer;
}

/** All that can be seen. Empty where the system has no /proc. */
export function seeProcesses(): readonly SeenProcess[] {
  return listOf('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const read = (file: string): Buffer => readFileSync(`/proc/${name}/${file}`);
      // After the name of the program, which may hold anything.
      const [, parent = '0'] = /\) \S (\d+)/.exec(read('stat').toString()) ?? [];
      const commandLine = read('cmdline').toString().replaceAll('\0', ' ').trim();
      return [{ pid: Number(name), parent: Number(parent), commandLine, environment: read('environ') }];
    } catch {
      // It has ended, or is somebody else's.
      return [];
    }
  });
}

function listOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
