import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTranscript } from './session';
import type { Session, SessionEnd, SessionOptions } from './session';

export const CTRL_C = '\x03';
export const CTRL_Z = '\x1a';
export const CTRL_BACKSLASH = '\x1c';

/** A command in a real pseudo-terminal, in the foreground of a session, with job control. */
export interface Terminal extends Session {
  resize(rows: number, columns: number): void;
  /** Closes it, as a window is closed. */
  hangUp(): void;
  /** Continues it there after it was stopped. */
  bringToForeground(): void;
  /** How often it was stopped so far. */
  stops(): number;
}

export interface TerminalOptions extends SessionOptions {
  /** `job` as an interactive shell has one, or leader of the session, as the first process of `docker run -t` is. */
  readonly role?: 'job' | 'leader';
}

type Event =
  | { readonly started: number }
  | { readonly output: string }
  | { readonly stopped: NodeJS.Signals }
  | { readonly ended: SessionEnd };

/** Starts it by a process in Python, whose standard library can do what Node cannot. */
export async function openTerminal(
  command: readonly string[],
  { environment, directory, role = 'job' }: TerminalOptions,
): Promise<Terminal> {
  const { PATH, HOME } = process.env;
  const helper = spawn('python3', [join(__dirname, 'terminal.py'), role, '24', '80', ...command], {
    cwd: directory,
    env: { PATH, HOME, TERM: 'dumb', ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  helper.stdin.on('error', () => undefined);
  const transcript = createTranscript();
  const decoder = new TextDecoder();
  let stops = 0;
  let start: (pid: number) => void = () => undefined;
  let end: (how: SessionEnd) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const started = new Promise<number>((resolve, reject) => {
    start = resolve;
    fail = reject;
  });
  const ended = new Promise<SessionEnd>((resolve) => {
    end = resolve;
  });
  createInterface({ input: helper.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as Event;
    if ('started' in event) start(event.started);
    else if ('output' in event) transcript.add(decoder.decode(Buffer.from(event.output, 'base64'), { stream: true }));
    else if ('stopped' in event) stops += 1;
    else end(event.ended);
  });
  void once(helper, 'close').then(() => {
    fail(new Error('The terminal could not be opened.'));
  });
  const order = (fields: Readonly<Record<string, unknown>>): void => {
    helper.stdin.write(`${JSON.stringify(fields)}\n`);
  };
  return {
    pid: await started,
    output: transcript.output,
    until: transcript.until,
    ended,
    stops: () => stops,
    type: (text) => {
      order({ do: 'type', text: Buffer.from(text).toString('base64') });
    },
    signal: (name, to) => {
      order({ do: 'signal', name, to });
    },
    resize: (rows, columns) => {
      order({ do: 'resize', rows, columns });
    },
    hangUp: () => {
      order({ do: 'hang up' });
    },
    bringToForeground: () => {
      order({ do: 'foreground' });
    },
  };
}
