import { constants } from 'node:os';
import { leave } from './leave';

/** All by which containers are told to end, that of Apache, WINCH, among them. */
const CAUGHT: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'];

/** Whoever sends one of these wants an end. */
export const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT']);

/** Can be typed at a terminal, and need not mean the end then: many a program goes on after Ctrl-C. */
export const TYPED: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT']);

/** What comes so soon after another is of one act: `timeout` signals its program, and then the whole group. */
const ONE_ACT_MS = 100;

export type Listener = (name: NodeJS.Signals) => void;

/** Signals to this process. None ends it of itself any more: process 1 of a container would not even be reached by one. */
export interface Signals {
  /** From now on these are told of each. */
  handTo(listener: Listener): void;
}

/** Catches them from now on. */
export function catchSignals(first: Listener): Signals {
  let current = first;
  for (const name of CAUGHT) {
    process.on(name, () => {
      current(name);
    });
  }
  return {
    handTo: (listener) => {
      current = listener;
    },
  };
}

/** What shells make of an end by a signal. */
export function exitCodeOf(name: NodeJS.Signals): number {
  return 128 + constants.signals[name];
}

/**
 * Hears the first signal to end, and ends this process at the second. A terminal that is closed does not insist: it sends more than one.
 * @param sinceMs by `performance.now()`: what was signalled just before and counts no more.
 */
export function untilInsisted(first: Listener, sinceMs = -Infinity): Listener {
  let last = sinceMs;
  let isAsked = false;
  return (name) => {
    if (!ENDING.has(name)) return;
    const now = performance.now();
    const isNew = now - last > ONE_ACT_MS;
    last = now;
    if (!isNew) return;
    if (!isAsked) first(name);
    else if (name !== 'SIGHUP') leave(exitCodeOf(name));
    isAsked = true;
  };
}
