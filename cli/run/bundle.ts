import { setMaxListeners } from 'node:events';
import type { CallOptions, HttpLeases, Lease, LeaseErrorCode } from '../../client/http';
import { LeaseError } from '../../client/http';
import { mayHelp } from '../../client/keep';
import { flatten } from '../../flat/flatten';
import type { Place } from '../access';
import type { Ledger, Owed } from './ledger';
import type { Chosen } from '../selection';
import { allOrNone, nameIn } from '../together';

export interface BundleRequest {
  readonly place: Place;
  /** At least one. */
  readonly wanted: readonly Chosen[];
  /** Seconds; undefined: each dynamic secret's own. */
  readonly ttl: number | undefined;
}

/** Several leases that are issued, extended and revoked as one. */
export interface Bundle {
  /** All at once. If one is refused, those that were made are revoked. @throws LeaseError */
  issue(closed: AbortSignal): Promise<Lease>;
  /** The shortest of their TTLs, in seconds. */
  readonly span: number;
  /** The shortest time that one of them may live in all, in seconds. */
  readonly longest: number;
}

/** One of them. Times are of `performance.now`. */
interface Member {
  readonly owed: Owed;
  readonly spanMs: number;
  /** Beyond which no extension goes. */
  readonly limitAt: number;
  endsAt: number;
}

/** What is left of its own TTL when a lease is extended, although the others need it sooner or later. */
const REST = 1 / 3;

/** @param onExtended called after each extension of all of them. */
export function createBundle(
  leases: Pick<HttpLeases, 'issue'>,
  { place, wanted, ttl }: BundleRequest,
  ledger: Ledger,
  onExtended: () => void,
): Bundle {
  const spanOf = ({ secret }: Chosen): number => ttl ?? secret.defaultTtlMs / 1_000;

  const issueOne = async (each: Chosen, signal: AbortSignal): Promise<Member> => {
    const { dynamicSecret, maxTtlMs } = each.secret;
    const span = spanOf(each);
    const spanMs = span * 1_000;
    const askedAt = performance.now();
    try {
      const lease = await leases.issue({ ...place, dynamicSecret, signal, ttl: span });
      const owed = ledger.add(dynamicSecret, lease);
      return { owed, spanMs, limitAt: askedAt + maxTtlMs, endsAt: askedAt + spanMs };
    } catch (error) {
      throw nameIn(error, dynamicSecret);
    }
  };
  return {
    span: Math.min(...wanted.map(spanOf)),
    longest: Math.min(...wanted.map(({ secret }) => secret.maxTtlMs / 1_000)),
    issue: async (closed) => {
      const made = await allOrNone(
        wanted.map((each) => (signal) => issueOne(each, signal)),
        closed,
        (others) =>
          Promise.allSettled(others.map(({ owed }) => ledger.revoke(owed, 'another lease of the program was refused'))),
      );
      return bind(made, wanted, ledger, onExtended);
    },
  };
}

function bind(members: readonly Member[], wanted: readonly Chosen[], ledger: Ledger, onExtended: () => void): Lease {
  const made = members.map(({ owed }) => owed);
  const handedOut = new Set(wanted.flatMap(({ names }) => [...names]));
  const values = made
    .flatMap(({ name, lease }) => [...flatten(name, lease)])
    .filter(([flatName]) => handedOut.has(flatName));
  return {
    leaseId: made.map(({ lease }) => lease.leaseId).join(', '),
    expiresAt: earliest(made),
    usableAt: null,
    credential: Object.fromEntries(values),
    facts: {},
    notes: [],
    extend: async (ttl, options) => {
      // Each extension listens to it, which Node would warn of.
      if (options?.signal !== undefined) setMaxListeners(0, options.signal);
      const until = performance.now() + Number(ttl) * 1_000;
      const asked = await Promise.allSettled(members.map((member) => extendUntil(member, until, options)));
      const errors = asked.filter((each) => each.status === 'rejected').map(({ reason }): unknown => reason);
      if (errors.length > 0) throw errors.find((error) => !mayHelp(error)) ?? errors[0];
      onExtended();
      return earliest(made);
    },
    revoke: async (options) => {
      const reason = options?.reason === 'closed' ? 'leasehold run has ended' : (options?.reason ?? '');
      await Promise.all(made.map((owed) => ledger.revoke(owed, reason)));
      return { leaseId: '', state: 'accepted', endedAt: null, endedBy: null, reason };
    },
  };
}

/** Extends it by its own TTL, or up to its limit, when that is due. @throws LeaseError if it ends too soon without that. */
async function extendUntil(member: Member, until: number, options: CallOptions | undefined): Promise<void> {
  const { owed, spanMs, limitAt } = member;
  const now = performance.now();
  const isNeeded = member.endsAt < until;
  if (!isNeeded && now < member.endsAt - spanMs * REST) return;
  const leftMs = Math.floor((limitAt - now) / 1_000) * 1_000;
  // Never less than what it has, which would shorten it, nor than what is asked for, which would be taken to be had. Beyond its limit it
  // is asked for so that the refusal says why.
  const forMs = leftMs < spanMs && now + leftMs > member.endsAt && now + leftMs >= until ? leftMs : spanMs;
  try {
    owed.expiresAt = await owed.lease.extend(forMs / 1_000, options);
    member.endsAt = now + forMs;
  } catch (error) {
    // It outlives what is asked for now: the others are not replaced because of it yet.
    if (isNeeded || isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof LeaseError && GONE.has(error.code);
}

/** Of a lease that has ended, whatever was thought of its end. */
const GONE: ReadonlySet<LeaseErrorCode> = new Set(['LeaseEnded', 'LeaseNotActive', 'LeaseNotFound']);

function earliest(owed: readonly Owed[]): Date {
  return new Date(Math.min(...owed.map(({ expiresAt }) => expiresAt.getTime())));
}
