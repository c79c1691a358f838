import { setTimeout as pause } from 'node:timers/promises';
import type { HttpLeases, Lease } from '../../client/http';
import { LeaseError } from '../../client/http';
import { keep } from '../../client/keep';
import type { Kept } from '../../client/keep';
import type { Place } from '../access';
import { UsageError } from '../exit';
import type { Chosen } from '../selection';
import { allOrNone } from '../together';
import { createBundle } from './bundle';
import { createLedger } from './ledger';
import type { Ledger, Owed } from './ledger';
import type { Notices } from './notices';

export interface LeasingRequest {
  readonly place: Place;
  readonly wanted: readonly Chosen[];
  /** Seconds; undefined: each dynamic secret's own. */
  readonly ttl: number | undefined;
  /** Gives up what is being leased. Afterwards it is `close` that ends the leases. */
  readonly signal: AbortSignal;
  /**
   * Called with the values of fresh leases, which take the place of all others once it has finished. Null: the program cannot take
   * them over, so that leases which cannot be extended are left to their end.
   */
  readonly onFresh: ((values: ReadonlyMap<string, string>) => Promise<void>) | null;
  /** Called once, when a lease is known to end while the program runs. */
  readonly onEnding: () => void;
  readonly notices: Notices;
}

/** The leases of a program. */
export interface Leasing {
  /** By flat name, each lease's id and end among them: as they were at first. */
  readonly values: ReadonlyMap<string, string>;
  /** Revokes all, and tries that for 15 seconds. Never fails: what could not be revoked is told and ends by its TTL. */
  close(): Promise<void>;
}

const CLOSE_MS = 15_000;
/** What may be under way when the time is over, an issue that is taken back for instance, is waited for so long. */
const CLOSE_GRACE_MS = 1_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;

/** Leases all, or none, and keeps them until they are closed. @throws LeaseError */
export async function openLeasing(leases: HttpLeases, request: LeasingRequest): Promise<Leasing> {
  const { wanted, onFresh, notices } = request;
  const ledger = createLedger();
  const opening = new AbortController();
  const abort = (): void => {
    opening.abort();
  };
  if (request.signal.aborted) abort();
  request.signal.addEventListener('abort', abort, { once: true });
  let isEnding = false;
  const onEnding = (): void => {
    if (!isEnding) request.onEnding();
    isEnding = true;
  };
  const end = (begun: readonly Begun[]): Promise<void> =>
    endAll(
      begun.map(({ kept }) => kept),
      ledger,
      notices,
    );
  try {
    const begun = await allOrNone(
      groupsOf(wanted, onFresh !== null).map(
        (group) => (signal) => begin(leases, ledger, { ...request, wanted: group, signal, onEnding }),
      ),
      opening.signal,
      end,
    );
    return { values: new Map(begun.flatMap(({ values }) => [...values])), close: () => end(begun) };
  } finally {
    request.signal.removeEventListener('abort', abort);
  }
}

/**
 * What the program takes over at once is one thing, so that it is told once of all of it. What it cannot take over goes on by itself,
 * each lease for as long as it can.
 */
function groupsOf(wanted: readonly Chosen[], areReplaced: boolean): readonly (readonly Chosen[])[] {
  if (!areReplaced) return wanted.map((each) => [each]);
  return wanted.length === 0 ? [] : [wanted];
}

interface Begun {
  readonly kept: Kept;
  readonly values: ReadonlyMap<string, string>;
}

async function begin(leases: HttpLeases, ledger: Ledger, request: LeasingRequest): Promise<Begun> {
  const { place, wanted, ttl, signal, onFresh, onEnding, notices } = request;
  const name = wanted.map(({ secret }) => secret.dynamicSecret).join(', ');
  const bundle = createBundle(leases, { place, wanted, ttl }, ledger, () => {
    notices.over(name, 'The leases are extended again.');
  });
  let hasEnded = false;
  let first = null as ReadonlyMap<string, string> | null;
  const kept = await keep(
    { issue: ({ signal: closed }) => bundle.issue(closed ?? signal) },
    { ...place, dynamicSecret: name, ttl: bundle.span },
    {
      signal,
      maxTtl: bundle.longest,
      onCredential: async (lease) => {
        const values = new Map(Object.entries(lease.credential));
        if (first === null) {
          first = values;
          return;
        }
        await onFresh?.(values);
        notices.over(name, 'The leases are renewed again.');
      },
      onError: (error) => {
        if (signal.aborted) return;
        tellTrouble(notices, name, error);
        if (onFresh !== null || !isEnd(error)) return;
        hasEnded = true;
        onEnding();
      },
      ...(onFresh !== null
        ? {}
        : {
            onLimit: (refusal: unknown, lease: Lease, expiresAt: Date) => {
              // That it has ended is told once: while the API is away nobody answers that it has.
              if (!hasEnded || !isEnd(refusal)) {
                tellLimit(notices, `${name} (lease ${lease.leaseId})`, refusal, expiresAt);
              }
              onEnding();
            },
          }),
    },
  );
  return { kept, values: first ?? new Map<string, string>() };
}

function tellTrouble(notices: Notices, name: string, error: unknown): void {
  const kind = error instanceof LeaseError ? error.code : 'other';
  const what = isEnd(error) ? '' : `${name} cannot be renewed now, which is tried again: `;
  notices.trouble(name, kind, what, sentenceOf(error));
}

function tellLimit(notices: Notices, what: string, refusal: unknown, expiresAt: Date): void {
  const sentence = sentenceOf(refusal);
  const advice = 'With --on-expiry restart the program gets another one.';
  notices.say(
    isEnd(refusal)
      ? `${what} has ended: ${sentence} ${advice}`
      : `${what} ends at ${expiresAt.toISOString()} and cannot be extended: ${sentence} ${advice}`,
  );
}

function isEnd(error: unknown): boolean {
  return error instanceof LeaseError && ['LeaseEnded', 'LeaseNotActive', 'LeaseNotFound'].includes(error.code);
}

/** Errors of ours are a sentence; any other may hold a secret. */
function sentenceOf(error: unknown): string {
  if (error instanceof LeaseError || error instanceof UsageError) return error.message;
  return `It failed for a reason that is not repeated here (${error instanceof Error ? error.name : typeof error}).`;
}

async function endAll(kept: readonly Kept[], ledger: Ledger, notices: Notices): Promise<void> {
  const done = new AbortController();
  const { signal } = done;
  const isOver = pause(CLOSE_MS, undefined, { signal }).then(
    () => {
      ledger.giveUp();
      return pause(CLOSE_GRACE_MS, undefined, { signal }).catch(() => undefined);
    },
    () => undefined,
  );
  const ended = Promise.allSettled(kept.map((each) => each.close())).then(() => revokeRest(ledger));
  await Promise.race([ended, isOver]);
  done.abort();
  for (const owed of ledger.left()) notices.say(describeLeft(owed));
}

/** What no keeping knows of any more: a lease of a renewal that was refused, for instance. */
async function revokeRest(ledger: Ledger): Promise<void> {
  for (let wait = FIRST_PAUSE_MS; ledger.left().length > 0; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    await Promise.allSettled(ledger.left().map((owed) => ledger.revoke(owed, 'leasehold run has ended')));
    if (ledger.hasGivenUp()) return;
    if (ledger.left().length > 0) await pause(wait);
  }
}

function describeLeft({ name, lease: { leaseId }, expiresAt, problem }: Owed): string {
  const why = problem ?? 'The Leasehold API did not answer in time.';
  const verb = expiresAt.getTime() > Date.now() ? 'ends' : 'ended';
  return `Lease ${leaseId} of ${name} could not be revoked: it ${verb} by its TTL, at ${expiresAt.toISOString()}. ${why}`;
}
