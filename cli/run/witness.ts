import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import { isatty } from 'node:tty';
import { pathAlone } from '../../config/environment';
import { groupOf } from './group';
import { TYPED } from './signals';

/** Longest time between the first and the last process that one sender signals, as systemd does one by one. */
const WINDOW_MS = 50;

/** How long a witness that is at work is waited for beyond that, and how often it is looked at. */
const AT_WORK_MS = 2_000;
const LOOK_EVERY_MS = 10;

/** Tells whom a signal was for. Node does not say who sent it. */
export interface Witness {
  /** Whether a signal that has just reached this process came to its whole group: by Ctrl-C, for instance, or from a supervisor. */
  sawToo(name: NodeJS.Signals): Promise<boolean>;
}

/**
 * Stands in our process group and says which signals it gets: those that came to all. The `cat`, which cares for none, ends with our end of
 * the pipe, also by kill -9 of us, and the shell with it. By POSIX a trap is run at once only during `wait`. A `cat` that was killed before
 * it could ignore anything is replaced.
 */
const SCRIPT = `# of leasehold: tells which signals came to the whole process group
for name in HUP INT QUIT TERM USR1 USR2 WINCH; do trap "echo SIG$name" "$name"; done
exec 3<&0
until
  (trap '' HUP INT QUIT TERM USR1 USR2; exec cat <&3 >/dev/null) &
  while kill -0 "$!" 2>/dev/null; do wait "$!"; done
do [ "$?" -gt 128 ] || exit; done`;

/**
 * Puts a process into our process group that does nothing else, as long as we live. It needs a moment until it can, and is given
 * nothing but the PATH.
 * Where no shell is found, only what a terminal sends is told from the rest.
 */
export function openWitness(): Witness {
  /** What it has said, and until when that counts. */
  const seen = new Map<string, number>();
  const waiting = new Map<string, Waiting>();
  let current = startShell();

  if (current?.stdout != null) {
    createInterface({ input: current.stdout }).on('line', (name) => {
      seen.set(name, performance.now() + WINDOW_MS);
      waiting.get(name)?.settle(true);
    });
    current.once('exit', () => {
      current = null;
    });
  }

  const ask = (name: NodeJS.Signals): Waiting => {
    const until = performance.now() + WINDOW_MS + AT_WORK_MS;
    let timer: NodeJS.Timeout;
    let isSettled = false;
    let settle: (isSeen: boolean) => void = () => undefined;
    const answer = new Promise<boolean>((resolve) => {
      settle = (isSeen) => {
        if (isSettled) return;
        isSettled = true;
        clearTimeout(timer);
        waiting.delete(name);
        resolve(isSeen);
      };
      // On a busy machine it may have its signal and had no time yet to take it, or to say so.
      const look = (): void => {
        const found = lookAt(current, name);
        if (found === 'pending') settle(true);
        else if (found === 'at work' && performance.now() < until) timer = setTimeout(look, LOOK_EVERY_MS);
        // What it has said before it went to rest may lie unread in the pipe: that is read first.
        else setImmediate(() => setImmediate(settle, false));
      };
      timer = setTimeout(look, WINDOW_MS);
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
  };
}

interface Waiting {
  readonly answer: Promise<boolean>;
  readonly settle: (isSeen: boolean) => void;
}

function startShell(): ChildProcess | null {
  try {
    const shell = spawn('sh', ['-c', SCRIPT], { stdio: ['pipe', 'pipe', 'ignore'], env: pathAlone(), cwd: '/' });
    shell.once('error', () => undefined);
    if (shell.pid === undefined) return null;
    // It keeps nobody waiting. Typed as streams, they are sockets.
    for (const each of [shell, shell.stdin, shell.stdout] as unknown as { unref(): void }[]) each.unref();
    shell.stdin.on('error', () => undefined);
    return shell;
  } catch {
    return null;
  }
}

/** Whether it has the signal and did not take it yet, or does something: it may be about to tell. As Linux says; elsewhere it rests. */
function lookAt(shell: ChildProcess | null, name: NodeJS.Signals): 'pending' | 'at work' | 'at rest' {
  try {
    const status = readFileSync(`/proc/${String(shell?.pid)}/status`, 'latin1');
    const mask = /^ShdPnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
    if ((BigInt(`0x${mask}`) & (1n << BigInt(constants.signals[name] - 1))) !== 0n) return 'pending';
    return /^State:\s*[RD]/m.test(status) ? 'at work' : 'at rest';
  } catch {
    return 'at rest';
  }
}

/** Where there is no witness: a terminal sends these to all of the group in its foreground. */
function isFromTerminal(name: NodeJS.Signals): boolean {
  if (!TYPED.has(name) && name !== 'SIGWINCH') return false;
  const group = groupOf('self');
  return group === null ? isatty(0) : group.own === group.foreground;
}
