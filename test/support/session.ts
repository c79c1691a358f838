import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface SessionOptions {
  /** All of it, beside PATH and HOME. */
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
}

export interface SessionEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A command in a process group of its own, as a shell or a supervisor starts one. */
export interface Session {
  readonly pid: number;
  /** What it has said so far, on both of its streams. */
  readonly output: () => string;
  /** The first match in what it says or has said. */
  readonly until: (pattern: RegExp) => Promise<RegExpExecArray>;
  type(text: string): void;
  signal(name: NodeJS.Signals, to: 'itself' | 'group'): void;
  /** Not of what it started: that may live on. The last that it said may still be on its way. */
  readonly ended: Promise<SessionEnd>;
}

const UNTIL_MS = 15_000;

/** Collects what is said, for those that wait for something. */
export function createTranscript(): Pick<Session, 'output' | 'until'> & { readonly add: (text: string) => void } {
  let said = '';
  const waiting = new Set<() => void>();
  return {
    output: () => said,
    add: (text) => {
      said += text;
      for (const look of [...waiting]) look();
    },
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`waited in vain for ${String(pattern)} in ${JSON.stringify(said.slice(-2_000))}`));
        }, UNTIL_MS);
        const look = (): void => {
          const match = pattern.exec(said);
          if (match === null) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(match);
        };
        waiting.add(look);
        look();
      }),
  };
}

/** With pipes and without a terminal. */
export function openPipes(
  [command = '', ...args]: readonly string[],
  { environment, directory }: SessionOptions,
): Session & { endInput(): void } {
  const { PATH, HOME } = process.env;
  const child = spawn(command, args, {
    cwd: directory,
    env: { PATH, HOME, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const pid = child.pid!;
  const kill = (name: NodeJS.Signals, to: 'itself' | 'group'): void => {
    process.kill(to === 'group' ? -pid : pid, name);
  };
  const stopWithUs = (): void => {
    kill('SIGKILL', 'group');
  };
  process.once('exit', stopWithUs);
  const transcript = createTranscript();
  child.stdin.on('error', () => undefined);
  child.stdout.setEncoding('utf8').on('data', transcript.add);
  child.stderr.setEncoding('utf8').on('data', transcript.add);
  const ended = once(child, 'exit').then(([code, signal]) => {
    process.removeListener('exit', stopWithUs);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  return {
    pid,
    output: transcript.output,
    until: transcript.until,
    type: (text) => child.stdin.write(text),
    endInput: () => child.stdin.end(),
    signal: kill,
    ended,
  };
}
