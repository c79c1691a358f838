import { setTimeout as sleep } from 'node:timers/promises';
import type { CallHook, CallPhase } from '../support/fault-proxy';
import type { Fault as ProxyFault } from '../support/faults';
import { callerOf } from './caller';
import type { Pauses } from './pauses';
import type { CallFault } from './plan-types';
import type { DeedSeen } from './trace';

/** What of a call matters here, whatever the provider. */
export interface Call {
  readonly operation: string;
  readonly entity: string | null;
  readonly at: Date;
  readonly port?: number | undefined;
  readonly askedAt?: number;
  readonly done?: boolean;
}

/** What of a proxy matters here, whatever the provider. */
export interface Proxy {
  readonly calls: readonly Call[];
  fault(fault: ProxyFault): void;
  clearFaults(): void;
  setAway(away: boolean): void;
  setOnCall(hook: CallHook<Call>): void;
  forget(): void;
}

/** Waits for the right moment to do something to a worker. */
export interface Trap {
  readonly at: 'change' | 'look';
  readonly phase: 'before' | 'after';
  /** Of the workers; asked when a call comes. */
  readonly pids: () => readonly number[];
  /** Done to the worker of this process id, before the call goes on. */
  readonly spring: (pid: number) => void;
}

/** How one provider fares at the moment. What is begun together adds up, and each ends by itself. */
export interface Weather {
  /** Each answers how to end it. */
  goDown(): () => void;
  slowDown(delayMs: number): () => void;
  throttle(): () => void;
  /** Spoils the next calls. Answers how many of them came by, once all did or the time is over. */
  spoil(kind: CallFault, isMutating: boolean, times: number): Promise<number>;
  /** Answers whether it sprang in time. */
  setTrap(trap: Trap): Promise<boolean>;
  /** Ends all of it. */
  clear(): void;
}

export interface WeatherOptions {
  readonly pauses: Pauses;
  /** What an operation does, by the provider's name of it; null: it only reads. */
  readonly effectOf: (operation: string) => DeedSeen['effect'] | null;
  /** Whether it is asked before something is made. */
  readonly isLook: (operation: string) => boolean;
  /** A call that changes something: when it has come, was done or refused, and was answered. */
  readonly onChange: (call: Call, phase: CallPhase, effect: DeedSeen['effect']) => void;
}

/** No call in a busy run keeps a fault waiting for longer. */
const COMES_BY_WITHIN_MS = 10_000;
/** Until a signal has been seen to by the system. */
const SETTLES_MS = 30;
/** What a request may need on its way, so that a slow provider is one that is slow to answer. */
const LONGEST_WAY_MS = 500;
const DELAY_MS = 1_000;
/** Of this many calls one is let through. */
const THROTTLED = 3;
const REMEMBERED_CALLS = 500;

interface Spoiling {
  readonly kind: CallFault;
  readonly isMutating: boolean;
  left: number;
  readonly over: () => void;
}

interface SetTrap extends Trap {
  readonly sprang: () => void;
}

export function createWeather(proxy: Proxy, { pauses, effectOf, isLook, onChange }: WeatherOptions): Weather {
  const slow = new Set<{ readonly delayMs: number }>();
  const throttles = new Set<object>();
  /** Entities that somebody has looked for, and the looks that were the first for theirs: those of whoever is to make it. */
  const lookedFor = new Set<string>();
  const firstLooks = new WeakSet<Call>();
  let downs = 0;
  let spoilings: Spoiling[] = [];
  let traps: SetTrap[] = [];
  let counted = 0;

  function faultFor(call: Call, isMutating: boolean): ProxyFault | null {
    const about = { operation: call.operation, ...(call.entity === null ? {} : { entity: call.entity }) };
    const spoiling = spoilings.find((each) => isMutating || !each.isMutating);
    if (spoiling !== undefined) {
      spoiling.left -= 1;
      if (spoiling.left === 0) spoiling.over();
      return { ...about, kind: spoiling.kind, delayMs: DELAY_MS };
    }
    if (throttles.size === 0) return null;
    counted += 1;
    return counted % THROTTLED === 0 ? null : { ...about, kind: 'throttle', retryAfterSeconds: 1 };
  }

  async function springTraps(call: Call, phase: CallPhase, at: Trap['at']): Promise<void> {
    for (const trap of traps.filter((each) => each.phase === phase && each.at === at)) {
      const pid = await callerOf(call.port, trap.pids());
      if (pid === null || !traps.includes(trap)) continue;
      traps = traps.filter((each) => each !== trap);
      trap.spring(pid);
      trap.sprang();
      await sleep(SETTLES_MS);
    }
  }

  const hook: CallHook<Call> = async (operation, phase, call) => {
    const effect = effectOf(operation);
    if (proxy.calls.length > REMEMBERED_CALLS) proxy.forget();
    if (effect !== null) onChange(call, phase, effect);
    if (phase === 'before' && isLook(operation) && call.entity !== null && !lookedFor.has(call.entity)) {
      lookedFor.add(call.entity);
      firstLooks.add(call);
    }
    const delayMs = Math.max(0, ...[...slow].map((each) => each.delayMs));
    const onItsWay = Math.min(delayMs / 2, LONGEST_WAY_MS);
    if (phase === 'before' && delayMs > 0) await pauses.pause(onItsWay);
    if (phase === 'after' && delayMs > 0) await pauses.pause(delayMs - onItsWay);
    if (effect !== null) await springTraps(call, phase, 'change');
    else if (firstLooks.has(call)) await springTraps(call, phase, 'look');
    if (phase !== 'before') return;
    // Nothing is waited for between this and the proxy's own look for faults.
    const fault = faultFor(call, effect !== null);
    if (fault !== null) proxy.fault(fault);
  };
  proxy.setOnCall(hook);

  const clear = (): void => {
    downs = 0;
    slow.clear();
    throttles.clear();
    spoilings = [];
    traps = [];
    proxy.clearFaults();
    proxy.setAway(false);
  };

  return {
    goDown: () => {
      downs += 1;
      proxy.setAway(true);
      return () => {
        downs = Math.max(0, downs - 1);
        if (downs === 0) proxy.setAway(false);
      };
    },
    slowDown: (delayMs) => {
      const own = { delayMs };
      slow.add(own);
      return () => void slow.delete(own);
    },
    throttle: () => {
      const own = {};
      throttles.add(own);
      return () => void throttles.delete(own);
    },
    spoil: async (kind, isMutating, times) => {
      let over = (): void => undefined;
      const cameBy = new Promise<void>((resolve) => {
        over = resolve;
      });
      const own: Spoiling = {
        kind,
        isMutating,
        left: times,
        over: () => {
          spoilings = spoilings.filter((each) => each !== own);
          over();
        },
      };
      spoilings.push(own);
      await Promise.race([cameBy, pauses.pause(COMES_BY_WITHIN_MS)]);
      spoilings = spoilings.filter((each) => each !== own);
      return times - own.left;
    },
    setTrap: async (trap) => {
      let hasSprung = false;
      let sprang = (): void => undefined;
      const over = new Promise<void>((resolve) => {
        sprang = () => {
          hasSprung = true;
          resolve();
        };
      });
      const own: SetTrap = { ...trap, sprang };
      traps.push(own);
      await Promise.race([over, pauses.pause(COMES_BY_WITHIN_MS)]);
      traps = traps.filter((each) => each !== own);
      return hasSprung;
    },
    clear,
  };
}
