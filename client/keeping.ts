import { doze } from './bounds';
import { checkTtl } from './input';
import { LeaseError } from './leases';
import type { Lease, LeaseErrorCode, Ttl } from './leases';

/** What is kept, and for whom. */
export interface Errand {
  readonly issue: (closed: AbortSignal) => Promise<Lease>;
  readonly ttl: Ttl | undefined;
  readonly maxTtl?: Ttl;
  readonly onCredential: (lease: Lease) => void | Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly onLimit?: (refusal: unknown, lease: Lease, expiresAt: Date) => void;
  readonly overlapMs?: number;
}

/** The lease in use, and what is known of its end. Times are of `performance.now`: a clock that is set ends nothing. */
interface Held {
  readonly lease: Lease;
  /** From an extension to the end after it, in milliseconds. */
  readonly spanMs: number;
  readonly endsAt: number;
  /** Beyond which no extension goes; infinite: not known. */
  readonly limitAt: number;
  /** When it is to be extended; infinite: never again. */
  readonly dueAt: number;
  readonly expiresAt: Date;
}

export interface Keeping {
  readonly errand: Errand;
  readonly overlapMs: number;
  readonly closing: AbortController;
  /** Every lease that was issued and is not known to have ended. */
  readonly live: Set<Lease>;
  /** Tells of an error; never fails. */
  readonly tell: (error: unknown) => void;
  /** The lease in use; there is one from the first take-over on. */
  readonly held: () => Held;
  readonly setHeld: (held: Held) => void;
  /** Settled when the latest hand-over is. */
  readonly handed: () => Promise<void>;
  readonly setHanded: (handed: Promise<void>) => void;
}

const OVERLAP_MS = 30_000;
const SHORTEST_EXTENSION_MS = 250;
const LONGEST_EXTENSION_MS = 75_000;
/** Where no other lease can take over, there is nothing to leave time for: also a slow answer is worth waiting for. */
const SHORTEST_LAST_EXTENSION_MS = 5_000;
const CLOSE_TIMEOUT_MS = 15_000;
/** What is left of the span when the lease is extended, and by how much that varies, so that programs do not ask together. */
const REST = 1 / 3;
const JITTER = 0.05;
/** How often is looked whether the machine has slept, and what no correction of its clock comes to in that time. */
const LOOK_MS = 10_000;
const SLEPT_MS = 5_000;

export function createKeeping(errand: Errand): Keeping {
  let held: Held | null = null;
  let handed: Promise<void> = Promise.resolve();
  return {
    errand,
    overlapMs: errand.overlapMs ?? OVERLAP_MS,
    closing: new AbortController(),
    live: new Set(),
    tell: (error) => {
      try {
        errand.onError(error);
      } catch {
        // Whoever listens must not end the keeping.
      }
    },
    held: () => {
      if (held === null) throw new Error('nothing is held yet');
      return held;
    },
    setHeld: (next) => {
      held = next;
    },
    handed: () => handed,
    setHanded: (next) => {
      handed = next;
    },
  };
}

/** Makes the first lease, and from then on keeps it, however long it takes to be taken over. */
export async function begin(keeping: Keeping): Promise<Going> {
  const made = await make(keeping);
  keeping.setHeld(made);
  watch(keeping);
  return { taken: hand(keeping, made.lease), ended: run(keeping) };
}

export interface Going {
  /** Fulfilled once the first credential was taken over; rejected with what `onCredential` threw. */
  readonly taken: Promise<void>;
  /** Fulfilled some time after the keeping is closed. */
  readonly ended: Promise<void>;
}

/** Revokes all that is left once the keeping is closed. @throws LeaseError of a revoke that was not accepted. */
export async function finish(keeping: Keeping, ended: Promise<void>): Promise<void> {
  const revokeAll = (): Promise<unknown>[] =>
    [...keeping.live].map((lease) => giveBack(keeping, lease, 'closed', CLOSE_TIMEOUT_MS));
  await Promise.allSettled([ended, ...revokeAll()]);
  // What arrived after it was closed, and what was not accepted yet.
  await Promise.all(revokeAll());
}

async function run(keeping: Keeping): Promise<void> {
  const { signal } = keeping.closing;
  while (!isClosed(keeping)) {
    await untilDue(keeping.held(), signal);
    if (!isClosed(keeping)) await renew(keeping);
  }
}

/**
 * Waits until the lease is to be extended. On many systems `performance.now` stands still while a machine sleeps, which leases do not:
 * when the clock has gone on without it, it is time to look.
 */
async function untilDue({ dueAt }: Held, signal: AbortSignal): Promise<void> {
  const lead = (): number => Date.now() - performance.now();
  const before = lead();
  for (let left = dueAt - performance.now(); left > 0 && !signal.aborted; left = dueAt - performance.now()) {
    await doze(Math.min(left, LOOK_MS), signal);
    if (dueAt !== Infinity && lead() - before > SLEPT_MS) return;
  }
}

/** Extends the lease, or has another one take its place or leaves it; tries until that is done or the keeping closed. */
async function renew(keeping: Keeping): Promise<void> {
  const { signal } = keeping.closing;
  const old = keeping.held();
  const { onLimit } = keeping.errand;
  let isExtensible = true;
  for (let failures = 0; !isClosed(keeping); failures += 1) {
    try {
      if (isExtensible) {
        await extend(keeping, old);
        return;
      }
    } catch (error) {
      isExtensible = mayHelp(error);
      if (!isExtensible && onLimit !== undefined) {
        leave(keeping, old, error);
        return;
      }
      if (!isClosed(keeping) && !isOrdinary(error)) keeping.tell(error);
    }
    const isLate = performance.now() > old.endsAt - (old.spanMs * REST) / 2;
    if (!isClosed(keeping) && onLimit === undefined && (isLate || !isExtensible)) {
      try {
        await replace(keeping, old);
        return;
      } catch (error) {
        if (!isClosed(keeping)) keeping.tell(error);
      }
    }
    await doze(backOff(old, failures), signal);
  }
}

async function extend(keeping: Keeping, old: Held): Promise<void> {
  const rest = restOf(old);
  if (rest !== null) {
    try {
      await extendBy(keeping, old, rest);
      return;
    } catch (error) {
      // It may be shorter than what is allowed. What is said of the whole span is what there is to know.
      if (mayHelp(error) || isClosed(keeping)) throw error;
    }
  }
  await extendBy(keeping, old, old.spanMs);
}

/** Less than the span, because no more is left until the limit; null: all of it is, or nothing would be won. */
function restOf({ spanMs, endsAt, limitAt }: Held): number | null {
  const now = performance.now();
  const leftMs = Math.floor((limitAt - now) / 1_000) * 1_000;
  return leftMs < spanMs && now + leftMs > endsAt + spanMs * JITTER ? leftMs : null;
}

async function extendBy(keeping: Keeping, old: Held, forMs: number): Promise<void> {
  const askedAt = performance.now();
  // Half of what is left is for another lease.
  const shortestMs = keeping.errand.onLimit === undefined ? SHORTEST_EXTENSION_MS : SHORTEST_LAST_EXTENSION_MS;
  const timeoutMs = between(shortestMs, (old.endsAt - askedAt) / 2, LONGEST_EXTENSION_MS);
  const { lease } = old;
  const expiresAt = await lease.extend(forMs / 1_000, { timeoutMs, signal: keeping.closing.signal });
  keeping.setHeld(heldUntil(old, askedAt + forMs, expiresAt));
}

/** Does nothing more for the lease in use. */
function leave(keeping: Keeping, old: Held, refusal: unknown): void {
  if (isClosed(keeping)) return;
  keeping.setHeld({ ...old, dueAt: Infinity });
  try {
    keeping.errand.onLimit?.(refusal, old.lease, old.expiresAt);
  } catch {
    // Whoever listens must not end the keeping.
  }
}

async function replace(keeping: Keeping, old: Held): Promise<void> {
  const { closing, tell } = keeping;
  const next = await make(keeping);
  if (isClosed(keeping)) return;
  const { lease } = next;
  const taken = hand(keeping, lease);
  let isTaken: boolean;
  try {
    isTaken = await Promise.race([
      taken.then(() => true),
      doze(Math.max(next.dueAt - performance.now(), next.spanMs * JITTER), closing.signal).then(() => false),
    ]);
  } catch (error) {
    await giveBack(keeping, lease, 'not taken over', 0).catch(tell);
    throw error;
  }
  if (isClosed(keeping)) return;
  keeping.setHeld(next);
  watch(keeping);
  const { leaseId } = lease;
  if (!isTaken) tell(new LeaseError('Timeout', `onCredential has still not taken over lease ${leaseId}.`, { leaseId }));
  // The old one goes on until it is certain that nothing is begun with it any more.
  void retire(keeping, old, taken).catch(tell);
}

/** Revokes a lease some time after another one has been taken over in its place. */
async function retire(keeping: Keeping, { lease, endsAt }: Held, taken: Promise<void>): Promise<void> {
  await taken;
  const leftMs = endsAt - performance.now();
  await doze(Math.min(keeping.overlapMs, leftMs), keeping.closing.signal);
  if (!isClosed(keeping)) await giveBack(keeping, lease, 'replaced', leftMs);
}

/** A new lease; it is known from then on, so that it is revoked at the end. */
async function make({ errand, closing, live }: Keeping): Promise<Held> {
  // What is made of several leases may have begun to run out long before all of it was there.
  const askedAt = performance.now();
  const lease = await errand.issue(closing.signal);
  live.add(lease);
  return hold(lease, errand, askedAt);
}

/** Hands a credential over, one after the other, and none once the keeping is closed. */
function hand(keeping: Keeping, lease: Lease): Promise<void> {
  const taken = keeping.handed().then(async () => {
    if (!isClosed(keeping)) await keeping.errand.onCredential(lease);
  });
  keeping.setHanded(taken.catch(() => undefined));
  return taken;
}

/** Tells when the lease in use has ended although everything was tried. */
function watch(keeping: Keeping): void {
  const { closing, tell } = keeping;
  const { lease } = keeping.held();
  const look = async (): Promise<void> => {
    for (;;) {
      const held = keeping.held();
      if (held.lease !== lease || held.dueAt === Infinity || isClosed(keeping)) return;
      const leftMs = held.endsAt - performance.now();
      if (leftMs <= 0) {
        const { leaseId } = lease;
        tell(new LeaseError('LeaseEnded', `Lease ${leaseId} has ended, and there is no other one yet.`, { leaseId }));
        return;
      }
      await doze(leftMs, closing.signal);
    }
  };
  void look();
}

/** Revokes a lease, trying for so long. @throws LeaseError if that was not accepted. */
async function giveBack({ live }: Keeping, lease: Lease, reason: string, forMs: number): Promise<void> {
  const end = performance.now() + forMs;
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 2_000)) {
    try {
      await lease.revoke({ reason });
      break;
    } catch (error) {
      if (error instanceof LeaseError && error.code === 'LeaseNotFound') break;
      if (performance.now() + pauseMs > end) throw error;
    }
    await doze(pauseMs);
  }
  live.delete(lease);
}

/** What is known of a lease that was just issued. */
function hold(lease: Lease, { ttl, maxTtl }: Errand, askedAt: number): Held {
  const { expiresAt } = lease;
  const spanMs =
    ttl === undefined ? Math.max(1, Math.round((expiresAt.getTime() - Date.now()) / 1_000)) * 1_000 : checkTtl(ttl);
  const limitAt = maxTtl === undefined ? Infinity : askedAt + checkTtl(maxTtl);
  return heldUntil({ lease, spanMs, limitAt }, askedAt + spanMs, expiresAt);
}

function heldUntil(
  { lease, spanMs, limitAt }: Pick<Held, 'lease' | 'spanMs' | 'limitAt'>,
  endsAt: number,
  expiresAt: Date,
): Held {
  const dueAt = endsAt - spanMs * (REST + JITTER * (2 * Math.random() - 1));
  return { lease, spanMs, limitAt, endsAt, dueAt, expiresAt };
}

/** Whether asking for an extension again may have another answer. */
export function mayHelp(error: unknown): boolean {
  return error instanceof LeaseError && PASSING.has(error.code);
}

/** A token that has run out may have been renewed by then. */
const PASSING: ReadonlySet<LeaseErrorCode> = new Set([
  'Unavailable',
  'Timeout',
  'Throttled',
  'QuotaExceeded',
  'Unauthenticated',
  'Forbidden',
]);

/** Whether the lease has just been extended as far as it may be. */
function isOrdinary(error: unknown): boolean {
  return error instanceof LeaseError && (error.code === 'InvalidTtl' || error.code === 'ExtensionLimit');
}

function isClosed({ closing }: Keeping): boolean {
  return closing.signal.aborted;
}

function backOff({ spanMs }: Held, failures: number): number {
  const first = between(50, spanMs / 100, 5_000);
  const longest = between(250, spanMs / 20, 60_000);
  return Math.min(first * 2 ** failures, longest) * (0.8 + 0.4 * Math.random());
}

function between(least: number, value: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
