import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A command as somebody types it. */
export interface Typed {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Looks at what it printed. @throws Error if that is not what it must print. */
  readonly check: (printed: string) => void;
}

export interface Ran {
  /** From its start to its end, in milliseconds. */
  readonly ms: number;
  readonly printed: string;
}

const ENDS_WITHIN_MS = 60_000;
const LONGEST_COMPLAINT = 500;

/** Runs a command to its end. @throws Error unless it ended well and printed what it must. */
export async function runOnce({ name, command, args, environment, check }: Typed, signal: AbortSignal): Promise<Ran> {
  const begun = performance.now();
  const child = spawn(command, args, {
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const late = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
  let endedAt = begun;
  child.once('exit', () => {
    endedAt = performance.now();
  });
  let printed = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const [code] = (await once(child, 'close').finally(() => {
    clearTimeout(late);
  })) as [number | null];
  if (code !== 0) {
    throw new Error(
      `${name} ended with ${String(code ?? 'a signal')}: ${complaint.trim().slice(0, LONGEST_COMPLAINT)}`,
    );
  }
  check(printed);
  return { ms: endedAt - begun, printed };
}
