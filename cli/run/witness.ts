import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';

/** Longest time between the first and the last process that one sender signals, as systemd does one by one. */
const WINDOW_MS = 50;

/** Tells whom a signal was for. Node does not say who sent it. */
export interface Witness {
  /** Whether a signal that has just reached this process came to its whole group: by Ctrl-C, for instance, or from a supervisor. */
  sawToo(name: NodeJS.Signals): Promise<boolean>;
  close(): void;
}

/**
 * Puts a process into our process group that does nothing and dies of any signal: one that came to all has ended it, and one that came to
 * us alone has not. It ends with us, even by kill -9, as it reads from a pipe that we hold.
 * @param path where it is looked for, and all that it is given. Where there is none, only what the terminal sends is told from the rest.
 */
export function openWitness(path: string | undefined): Witness {
  /** Signals that have ended a witness, and until when they count. */
  const seen = new Map<NodeJS.Signals, number>();
  const waiting = new Map<NodeJS.Signals, Waiting>();
  let isOpen = true;

  const start = (): ChildProcess | null => {
    const started = startIdle(path);
    started?.once('exit', (_, signal) => {
      if (!isOpen) return;
      // One that ends by itself is of no use, nor would another one be.
      current = signal === null ? null : start();
      if (signal === null) return;
      seen.set(signal, performance.now() + WINDOW_MS);
      waiting.get(signal)?.settle(true);
    });
    return started;
  };

  let current = start();

  const ask = (name: NodeJS.Signals): Waiting => {
    let settle: (isSeen: boolean) => void = () => undefined;
    const answer = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => {
        // On a busy machine the witness has its signal, and had no time to die yet.
        settle(isPending(current, name));
      }, WINDOW_MS);
      settle = (isSeen) => {
        clearTimeout(timer);
        waiting.delete(name);
        resolve(isSeen);
      };
    });
    return { answer, settle };
  };

  return {
    sawToo: (name) => {
      if (current === null) return Promise.resolve(isFromTerminal(name));
      if ((seen.get(name) ?? 0) > performance.now()) return Promise.resolve(true);
      const asked = waiting.get(name) ?? ask(name);
      waiting.set(name, asked);
      return asked.answer;
    },
    close: () => {
      isOpen = false;
      current?.kill('SIGKILL');
      for (const { settle } of [...waiting.values()]) settle(false);
    },
  };
}

interface Waiting {
  readonly answer: Promise<boolean>;
  readonly settle: (isSeen: boolean) => void;
}

function startIdle(path: string | undefined): ChildProcess | null {
  try {
    const env = path === undefined ? {} : { PATH: path };
    const idle = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'], env, cwd: '/' });
    idle.once('error', () => undefined);
    if (idle.pid === undefined) return null;
    idle.unref();
    // Typed as a Writable, it is a socket.
    (idle.stdin as unknown as { unref(): void } | null)?.unref();
    idle.stdin.on('error', () => undefined);
    return idle;
  } catch {
    return null;
  }
}

/** As Linux tells it. */
function isPending(idle: ChildProcess | null, name: NodeJS.Signals): boolean {
  try {
    const status = readFileSync(`/proc/${String(idle?.pid)}/status`, 'latin1');
    const mask = /^ShdPnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
    return (BigInt(`0x${mask}`) & (1n << BigInt(constants.signals[name] - 1))) !== 0n;
  } catch {
    return false;
  }
}

/** Where there is no witness: a terminal sends these to all of the group in its foreground. */
function isFromTerminal(name: NodeJS.Signals): boolean {
  if (name !== 'SIGINT' && name !== 'SIGQUIT') return false;
  try {
    const [, , group, , , foreground] = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return group === foreground;
  } catch {
    return isatty(0);
  }
}
