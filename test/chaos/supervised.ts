import { setTimeout as sleep } from 'node:timers/promises';
import type { Pauses } from './pauses';

/** One life of a program. */
export interface Life {
  /** Null: not known yet. */
  readonly pid: number | null;
  /** Rejects if it ends before it is. */
  readonly ready: Promise<void>;
  /** Answers the exit code; null: a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Does nothing to one that has ended. */
  signal(name: NodeJS.Signals): void;
}

/** A program that is started again whenever it ends, until it is ended for good. Its faults may overlap. */
export interface Supervised {
  /** Of the life that is ready. */
  pid(): number | null;
  isUp(): boolean;
  /** Waits until it is ready, or for so long that it must be called a crash. */
  up(): Promise<void>;
  /** kill -9. It is started again after so long, and this ends once it is ready. Answers false if it was not there to be killed. */
  kill(downMs: number): Promise<boolean>;
  /** SIGTERM, and a start anew. Answers false if it was not ready. */
  restart(): Promise<boolean>;
  /** SIGSTOP for so long. Answers false if it was not ready, or stopped already. */
  freeze(forMs: number): Promise<boolean>;
  /** SIGHUP, as soon as it is ready. */
  hangUp(): void;
  /** Wakes it, if it is stopped. */
  thaw(): void;
  /** Ends it for good. */
  end(): Promise<void>;
}

export interface SupervisedOptions {
  readonly launch: () => Life;
  readonly pauses: Pauses;
  /** Whether its surroundings gave a life no reason to end at its start, since this instant. */
  readonly isCalmSince: (instant: number) => boolean;
  readonly onCrash: (how: string) => void;
  /** How long it may take to end when it is asked to. */
  readonly endsWithinMs: number;
  /** Whether it must end with exit code 0. */
  readonly endsWell: boolean;
}

/** A life and what was done to it. */
interface Current {
  readonly life: Life;
  isReady: boolean;
  isFrozen: boolean;
  /** Its end was asked for. */
  isAsked: boolean;
  isKilled: boolean;
}

const AGAIN_AFTER_MS = 300;
const UP_WITHIN_MS = 120_000;

export function supervise(options: SupervisedOptions): Supervised {
  const { launch, pauses, isCalmSince, onCrash, endsWithinMs, endsWell } = options;
  let current: Current | null = null;
  let isWanted = true;
  let held = 0;
  let isTold = true;
  const waiting = new Set<() => void>();

  function changed(): void {
    for (const look of [...waiting]) look();
  }

  async function until(condition: () => boolean, withinMs: number): Promise<boolean> {
    if (condition()) return true;
    return new Promise((resolve) => {
      const over = (isSo: boolean): void => {
        clearTimeout(timer);
        waiting.delete(look);
        resolve(isSo);
      };
      const look = (): void => {
        if (condition()) over(true);
      };
      const timer = setTimeout(() => {
        over(false);
      }, withinMs);
      waiting.add(look);
    });
  }

  async function keepUp(): Promise<void> {
    while (isWanted) {
      if (held > 0) await until(() => held === 0 || !isWanted, UP_WITHIN_MS);
      else await live();
    }
  }

  async function live(): Promise<void> {
    const began = Date.now();
    const own: Current = { life: launch(), isReady: false, isFrozen: false, isAsked: false, isKilled: false };
    current = own;
    own.life.ready.then(
      () => {
        own.isReady = true;
        if (!isTold) own.life.signal('SIGHUP');
        isTold = true;
        changed();
      },
      () => undefined,
    );
    const code = await own.life.ended;
    current = null;
    changed();
    if (own.isAsked || own.isKilled) return;
    if (own.isReady) onCrash(`ended by itself with ${describe(code)}`);
    else if (isCalmSince(began)) onCrash(`ended at its start with ${describe(code)}`);
    await sleep(AGAIN_AFTER_MS);
  }

  async function up(): Promise<void> {
    if (await until(() => current?.isReady === true || !isWanted, UP_WITHIN_MS)) return;
    onCrash(`was not ready within ${UP_WITHIN_MS / 1_000} s`);
  }

  async function killLife(own: Current): Promise<void> {
    own.isKilled = true;
    own.life.signal('SIGKILL');
    await own.life.ended;
  }

  async function endLife(own: Current): Promise<void> {
    if (!own.isReady) return killLife(own);
    own.isAsked = true;
    own.isFrozen = false;
    own.life.signal('SIGCONT');
    own.life.signal('SIGTERM');
    const patience = new AbortController();
    const late = sleep(endsWithinMs, 'late' as const, { signal: patience.signal }).catch(() => 'late' as const);
    const code = await Promise.race([own.life.ended, late]);
    patience.abort();
    if (code === 'late') {
      onCrash(`did not end within ${endsWithinMs / 1_000} s of SIGTERM`);
      await killLife(own);
    } else if (endsWell && code !== 0 && !own.isKilled) {
      onCrash(`ended with ${describe(code)} when it was asked to end`);
    }
  }

  function thaw(): void {
    if (current === null) return;
    current.isFrozen = false;
    current.life.signal('SIGCONT');
  }

  const running = keepUp();
  return {
    pid: () => (current?.isReady === true ? current.life.pid : null),
    isUp: () => current?.isReady === true,
    up,
    kill: async (downMs) => {
      const own = current;
      if (own === null || own.isKilled) return false;
      held += 1;
      await killLife(own);
      await pauses.pause(downMs);
      held -= 1;
      changed();
      await up();
      return true;
    },
    restart: async () => {
      const own = current;
      if (own?.isReady !== true || own.isAsked || own.isKilled) return false;
      await endLife(own);
      await up();
      return true;
    },
    freeze: async (forMs) => {
      const own = current;
      if (own?.isReady !== true || own.isFrozen || own.isAsked || own.isKilled) return false;
      own.isFrozen = true;
      own.life.signal('SIGSTOP');
      await pauses.pause(forMs);
      own.isFrozen = false;
      own.life.signal('SIGCONT');
      return true;
    },
    hangUp: () => {
      if (current?.isReady === true) current.life.signal('SIGHUP');
      else isTold = false;
    },
    thaw,
    end: async () => {
      isWanted = false;
      changed();
      // A second signal would cut it off: a restart that is under way sees to its end.
      if (current?.isAsked === false) await endLife(current);
      await running;
    },
  };
}

function describe(code: number | null): string {
  return code === null ? 'a signal' : `exit code ${code}`;
}
