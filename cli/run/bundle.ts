import type { HttpLeases, Lease } from '../../client/http';
import { LeaseError } from '../../client/http';
import { mayHelp } from '../../client/keep';
import { flatten } from '../../flat/flatten';
import type { Place } from '../access';
import type { Ledger, Owed } from './ledger';
import type { Wanted } from './selection';

export interface BundleRequest {
  readonly place: Place;
  /** At least one. */
  readonly wanted: readonly Wanted[];
  /** Seconds; undefined: each dynamic secret's own. */
  readonly ttl: number | undefined;
}

/** Several leases that are issued, extended and revoked as one. */
export interface Bundle {
  /** All at once. If one is refused, those that were made are revoked. @throws LeaseError */
  issue(closed: AbortSignal): Promise<Lease>;
  /** The shortest of their TTLs, in seconds. */
  readonly span: number;
}

/** @param onExtended called after each extension of all of them. */
export function createBundle(
  leases: Pick<HttpLeases, 'issue'>,
  { place, wanted, ttl }: BundleRequest,
  ledger: Ledger,
  onExtended: () => void,
): Bundle {
  const spanOf = ({ secret }: Wanted): number => ttl ?? secret.defaultTtlMs / 1_000;
  const spans = new Map(wanted.map((each) => [each.secret.dynamicSecret, spanOf(each)]));

  const issueOne = async ({ secret: { dynamicSecret } }: Wanted, signal: AbortSignal): Promise<Owed> => {
    try {
      const span = spans.get(dynamicSecret);
      const lease = await leases.issue({
        ...place,
        dynamicSecret,
        signal,
        ...(span === undefined ? {} : { ttl: span }),
      });
      return ledger.add(dynamicSecret, lease);
    } catch (error) {
      throw nameIn(error, dynamicSecret);
    }
  };
  return {
    span: Math.min(...spans.values()),
    issue: async (closed) => {
      const stop = new AbortController();
      const signal = AbortSignal.any([closed, stop.signal]);
      const failures: unknown[] = [];
      const asked = await Promise.allSettled(
        wanted.map((each) =>
          issueOne(each, signal).catch((error: unknown) => {
            failures.push(error);
            stop.abort();
            throw error;
          }),
        ),
      );
      const made = asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      if (failures.length > 0) {
        await Promise.allSettled(made.map((owed) => ledger.revoke(owed, 'another lease of the program was refused')));
        // The first; the others may only have been called off because of it.
        throw failures[0];
      }
      return bind(made, wanted, spans, ledger, onExtended);
    },
  };
}

function bind(
  made: readonly Owed[],
  wanted: readonly Wanted[],
  spans: ReadonlyMap<string, number>,
  ledger: Ledger,
  onExtended: () => void,
): Lease {
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
    extend: async (_, options) => {
      const asked = await Promise.allSettled(
        made.map(async (owed) => {
          owed.expiresAt = await owed.lease.extend(spans.get(owed.name) ?? 0, options);
        }),
      );
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

function earliest(owed: readonly Owed[]): Date {
  return new Date(Math.min(...owed.map(({ expiresAt }) => expiresAt.getTime())));
}

/** With the name of the dynamic secret before its sentence. */
function nameIn(error: unknown, name: string): unknown {
  if (!(error instanceof LeaseError) || error.message.includes(name)) return error;
  const { code, message, leaseId, field, state, undelivered } = error;
  const facts = {
    ...(leaseId === undefined ? {} : { leaseId }),
    ...(field === undefined ? {} : { field }),
    ...(state === undefined ? {} : { state }),
    ...(undelivered === undefined ? {} : { undelivered }),
  };
  return new LeaseError(code, `${name}: ${message}`, facts);
}
