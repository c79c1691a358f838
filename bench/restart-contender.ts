import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectedLeases } from '../client/temporal';
import type { Lease } from '../client/leases';
import { StartError } from '../dev/process';
import type { Deployment, Program } from './deployment';
import { PROGRAMS, usagesOf } from './programs';
import type { OpenBao } from './openbao';
import { historySizes, sweepOnce } from './restart-temporal';
import type { HistorySize } from './restart-temporal';
import { databaseBytes, directoryBytes } from './storage';
import type { Usage } from './usage';

/** A lease of either system. */
export interface Held {
  readonly id: string;
  /** The login role that it made. */
  readonly role: string;
  /** Resolves when the role is gone. */
  revoke(): Promise<void>;
}

/** A system whose leases sleep while all of it is killed. */
export interface Contender {
  readonly name: string;
  /** Its processes. */
  readonly programs: readonly string[];
  /** Its roles begin with one of them, and no others. */
  readonly rolePrefixes: readonly string[];
  issue(ttl: string): Promise<Held>;
  /** As `issue`, by the way that programs in other languages take: none that was connected before. */
  issueAnew(ttl: string, signal: AbortSignal): Promise<Held>;
  /** kill -9 of every process, at once. */
  kill(): Promise<void>;
  /** Starts them together. Answers how long each took until it was ready, in milliseconds. */
  start(signal: AbortSignal): Promise<Readonly<Record<string, number>>>;
  usage(): Promise<Readonly<Record<string, Usage>>>;
  storageBytes(): Promise<number>;
  /** Of leases that sleep, or have ended and may be at the end of it still. Null for a system that keeps none. */
  readonly historyOf:
    ((leaseIds: readonly string[], are: 'sleeping' | 'ended') => Promise<readonly HistorySize[]>) | null;
  /** Looks through everything that lives, once; answers how long it took, in milliseconds. Null for a system that does no such thing. */
  readonly sweep: ((leases: number, signal: AbortSignal) => Promise<number>) | null;
  close(): Promise<void>;
}

/** A worker that finds no Temporal ends, and is started again by whatever watches over it. */
const STARTED_WITHIN_MS = 120_000;
const START_AGAIN_AFTER_MS = 100;
const FIRST_ANSWER_WITHIN_MS = 10_000;
const HOLDER = 'bench';

/** Temporal, worker and API. Leases are issued through the library, and anew through HTTP. */
export function contendByLeasehold(deployment: Deployment): Contender {
  let connected: Promise<ConnectedLeases> | null = null;
  const connect = (): Promise<ConnectedLeases> => (connected ??= deployment.connect());
  const close = async (): Promise<void> => {
    const closing = connected;
    connected = null;
    await (await closing)?.close();
  };
  const next = inTurn(deployment.integrations.map(({ what }) => what));
  return {
    name: 'Leasehold',
    programs: PROGRAMS,
    rolePrefixes: deployment.integrations.map(({ rolePrefix }) => rolePrefix),
    issue: async (ttl) => heldBy(await (await connect()).issue({ ...next(), holder: HOLDER, ttl })),
    issueAnew: async (ttl, signal) => {
      const anew = await deployment.connectHttp();
      return heldBy(await anew.issue({ ...next(), ttl, signal, timeoutMs: FIRST_ANSWER_WITHIN_MS }));
    },
    kill: async () => {
      await close();
      await Promise.all(PROGRAMS.map((program) => deployment.kill(program)));
    },
    start: (signal) => startTogether(deployment, signal),
    usage: () => usagesOf(deployment),
    storageBytes: () => databaseBytes(deployment.databaseFile),
    historyOf: (leaseIds, are) => historySizes(deployment, leaseIds, are),
    sweep: (leases, signal) => sweepOnce(deployment, leases, signal),
    close,
  };
}

/** One after the other, and from the first one again after the last. */
function inTurn<T>(all: readonly T[]): () => T {
  let turn = 0;
  return () => {
    const one = all[turn % all.length];
    if (one === undefined) throw new Error('There is nothing to take in turn.');
    turn += 1;
    return one;
  };
}

function heldBy(lease: Lease): Held {
  const role = lease.facts['role'];
  if (role === undefined) throw new Error(`Lease ${lease.leaseId} does not say which role it made.`);
  return {
    id: lease.leaseId,
    role,
    revoke: async () => {
      const { state } = await lease.revoke({ wait: true });
      if (state === 'accepted') throw new Error(`Lease ${lease.leaseId} was revoked and did not end.`);
    },
  };
}

/** All at once, as a machine that comes up does it. */
async function startTogether(
  deployment: Pick<Deployment, 'start'>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, number>>> {
  const began = performance.now();
  const starts = await Promise.allSettled(
    PROGRAMS.map(async (program) => {
      await startUntilUp(deployment, program, began + STARTED_WITHIN_MS, signal);
      return [program, performance.now() - began] as const;
    }),
  );
  return Object.fromEntries(
    starts.map((start) => {
      if (start.status === 'rejected') throw start.reason;
      return start.value;
    }),
  );
}

async function startUntilUp(
  deployment: Pick<Deployment, 'start'>,
  program: Program,
  until: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await deployment.start(program);
      return;
    } catch (error) {
      if (!(error instanceof StartError) || performance.now() > until) throw error;
    }
    await sleep(START_AGAIN_AFTER_MS, undefined, { signal });
  }
}

/** @param directory where its storage is. */
export function contendByOpenBao(bao: OpenBao, directory: string): Contender {
  const issue = async (ttl: string): Promise<Held> => {
    const { leaseId, username } = await bao.issue(ttl);
    return { id: leaseId, role: username, revoke: () => bao.revoke(leaseId) };
  };
  return {
    name: 'OpenBao',
    programs: ['openbao'],
    rolePrefixes: [bao.rolePrefix],
    issue,
    issueAnew: issue,
    kill: () => bao.kill(),
    start: async () => {
      const began = performance.now();
      await bao.start();
      return { openbao: performance.now() - began };
    },
    usage: async () => ({ openbao: await bao.usage() }),
    storageBytes: () => directoryBytes(directory),
    historyOf: null,
    sweep: null,
    close: () => Promise.resolve(),
  };
}
