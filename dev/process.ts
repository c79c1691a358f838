import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readVariable } from '../config/environment';
import { signalGroup, untilGone } from './process-group';

/** A program that the stack runs. It ends when we end, however that comes, kill -9 included. */
export interface RunningProcess {
  /** Id of its process group. */
  readonly pid: number;
  /** Settles when it has ended, by itself or because it was stopped. */
  readonly ended: Promise<void>;
  /** Asks it to end, and kills it if that does not help; waits until nothing of its group runs. */
  stop(): Promise<void>;
  /** kill -9; waits until nothing of its group runs: whatever is started in its place finds ports and files free. */
  kill(): Promise<void>;
}

export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the few variables that it gets of our environment: no credential of ours is among them. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Standard output and error are appended to it. */
  readonly logFile: string;
  /** Asked again and again until it answers true. A rejection counts as "not yet" and is told if time runs out. */
  readonly ready: () => Promise<boolean>;
  /** Default 60,000. */
  readonly readyWithinMs?: number;
  /** How long the stop signal may take before SIGKILL follows. Default 8,000. */
  readonly stopWithinMs?: number;
  /** Asks it to end, also when we are gone. Default SIGTERM. */
  readonly stopSignal?: 'SIGTERM' | 'SIGINT';
  /** Whose rights it runs with; null, the default: ours. */
  readonly account?: { readonly uid: number; readonly gid: number } | null;
  /** Where it runs. Default: where we do, which may be out of the account's reach. */
  readonly workingDirectory?: string;
  /** A directory of the program's own that goes when it has ended, also when we are gone by then. */
  readonly leftover?: string;
}

/** The program ended, or came to nothing, before it was ready. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 8_000;
const INHERITED = ['PATH', 'HOME', 'LANG', 'TMPDIR'];

// Runs the program and watches a pipe from us on descriptor 3. When we are gone the pipe closes and the program is ended:
// politely, and 3 seconds later by force. What a server killed by force leaves running may write for a moment more.
const WATCHED = `
stop=$1
leftover=$2
shift 2
trap : TERM INT HUP
"$@" 3<&- &
child=$!
{
  read -r _
  kill -s $stop $child
  tries=0
  while [ $tries -lt 30 ] && kill -0 $child; do sleep 0.1; tries=$((tries + 1)); done
  kill -KILL $child
} <&3 2>/dev/null &
watch=$!
exec 3<&-
wait $child
while kill -0 $child 2>/dev/null; do wait $child; done
kill -KILL $watch 2>/dev/null
[ -z "$leftover" ] || rm -rf "$leftover" 2>/dev/null || { sleep 1; rm -rf "$leftover"; }
`;

/**
 * Starts a program and waits until it is ready.
 * @throws StartError
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { command, args, environment, logFile, account, workingDirectory, leftover = '' } = options;
  const { stopWithinMs = STOP_WITHIN_MS, stopSignal = 'SIGTERM' } = options;
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn('/bin/sh', ['-c', WATCHED, 'sh', stopSignal.slice('SIG'.length), leftover, command, ...args], {
    cwd: workingDirectory,
    detached: true,
    env: { ...inherited(), ...environment },
    ...account,
    stdio: ['ignore', log, log, 'pipe'],
  });
  closeSync(log);
  const exited = once(child, 'exit');
  const { pid } = child;
  if (pid === undefined) throw await exited.then(shellMissing, shellMissing);
  const ended = exited.then(() => {
    // Should the watching shell have been killed alone, nothing of its group is left behind.
    signalGroup(pid, 'SIGKILL');
  });
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (!isOver()) {
      signalGroup(pid, signal);
      const patience = new AbortController();
      const late = sleep(stopWithinMs, undefined, { signal: patience.signal }).catch(() => undefined);
      await Promise.race([ended, late]);
      patience.abort();
      if (!isOver()) signalGroup(pid, 'SIGKILL');
    }
    await ended;
    // The shell that watches over it is gone before a program that has much memory to give back.
    await untilGone(pid);
  };
  const running: RunningProcess = { pid, ended, stop: () => end(stopSignal), kill: () => end('SIGKILL') };
  await untilReady(options, running, isOver);
  return running;
}

async function untilReady(options: ProcessOptions, running: RunningProcess, isOver: () => boolean): Promise<void> {
  const { command, logFile, ready, readyWithinMs = READY_WITHIN_MS } = options;
  const until = Date.now() + readyWithinMs;
  let reason = '';
  while (!isOver() && Date.now() < until) {
    try {
      // Whoever answers while ours has ended is another program on the same port.
      if ((await ready()) && !isOver()) return;
    } catch (error) {
      reason = ` (${messageOf(error)})`;
    }
    await sleep(50);
  }
  const problem = isOver() ? 'ended at its start' : `was not ready within ${readyWithinMs / 1_000} s${reason}`;
  await running.kill();
  throw new StartError(`${command} ${problem}. The end of its log, ${logFile}:\n${lastLines(logFile)}`);
}

function shellMissing(): StartError {
  return new StartError('/bin/sh cannot be run; the stack needs it to watch over its programs.');
}

function inherited(): Record<string, string> {
  const variables = INHERITED.map((name) => [name, readVariable(name)] as const);
  return Object.fromEntries(variables.filter((variable): variable is [string, string] => variable[1] !== undefined));
}

function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : 'no reason given';
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
}
