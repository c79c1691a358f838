import { availableParallelism } from 'node:os';
import { escapeLiteral } from 'pg';
import type { Provider } from '../provider';
import type { Say } from '../../dev/story';
import { messageOf, reasonsOf } from '../missing';
import { startCaller } from './caller';
import type { Called, Sample } from './caller';
import { failedIssues, issueUntil, measureRate, revokeAll } from './issue-until';
import type { Credential, CpuSeconds, Party } from './party';
import { highestRate } from './rates';
import type { Count } from './rates';
import { until } from './time';
import { nextLook, watchRoles } from './watch';
import type { RoleWatch } from './watch';

/** How large one wave is, and how patient. */
export interface WaveSize {
  /** Credentials that expire at the same instant. */
  readonly total: number;
  /** Issued at once. */
  readonly concurrency: number;
  /** Issued before, to know how long issuing all of them will take. */
  readonly warmUp: number;
  /** How much longer it is given than that, and how long at least. */
  readonly room: number;
  readonly leastMs: number;
  /** Between the last issue and the first expiry: what the API's latencies are compared with. */
  readonly quietMs: number;
  /** Between two looks at the roles. */
  readonly lookEveryMs: number;
  /** Between two calls of each caller of the API. */
  readonly callEveryMs: number;
  /** After the first expiry: by then all must be gone. */
  readonly patienceMs: number;
}

/** What was seen of one wave. */
export interface Wave {
  readonly party: string;
  readonly total: number;
  /** That all processes shared. */
  readonly cores: number;
  /** How many were issued in a second. */
  readonly issuedPerSecond: number;
  /** From the first expiry to the last one. */
  readonly spreadMs: number;
  /** For each credential: from its expiry until its role was seen to be gone. */
  readonly lags: readonly number[];
  /** How many were seen to go. */
  readonly gone: number;
  /** From the first expiry until the last role was seen to be gone, or until patience was at its end. */
  readonly wholeMs: number;
  /** Roles that there are still, by seconds since the first expiry. */
  readonly live: readonly (readonly [number, number])[];
  /** The most at once, of this party to PostgreSQL. */
  readonly connections: number;
  /** Transactions at PostgreSQL, per second, over five seconds at least; null: the wave was shorter. */
  readonly transactionsPerSecond: number | null;
  /** Of the API, by what it was asked. */
  readonly latencies: Readonly<Record<string, Latencies>>;
  /** By processes, from the first expiry until the last role was gone. */
  readonly cpuSeconds: CpuSeconds;
  /** Sentences: what did not go as it must, and is in the figures, or not. */
  readonly shortcomings: readonly string[];
  /** Roles of this party that were left at the end of all. */
  readonly left: number;
}

/** Durations in milliseconds: in the quiet time before the first expiry, and from then on. */
export interface Latencies {
  readonly before: readonly number[];
  readonly during: readonly number[];
}

export interface WaveOptions {
  readonly party: Party;
  readonly provider: Pick<Provider, 'query' | 'countRoles' | 'database'>;
  /** Of processes that belong to no party. */
  readonly otherCpuSeconds: () => Promise<CpuSeconds>;
  readonly size: WaveSize;
  readonly signal: AbortSignal;
  readonly say: Say;
}

/** PostgreSQL counts them once a second for each of its sessions. */
const RATE_WINDOW_MS = 5_000;

/**
 * Lets so many credentials expire at one instant and watches them go. What does not go as it must is told in the wave, and what was
 * seen stands.
 * @throws Error if there was nothing to see.
 */
export async function runWave(options: WaveOptions): Promise<Wave> {
  const { party, size, signal, say } = options;
  const { total, concurrency, quietMs } = size;
  const rate = await measureRate(party, { total: size.warmUp, concurrency, signal });
  const dueAt = Date.now() + Math.max((total / rate) * size.room * 1_000, size.leastMs) + quietMs;
  say(`${party.name}: ${total} credentials, about ${Math.round(rate)} a second, all to expire at ${timeOfDay(dueAt)}.`);
  const begun = Date.now();
  const issued = await issueUntil(party, dueAt, { total, concurrency, signal });
  const { credentials } = issued;
  const issuedPerSecond = credentials.length / ((Date.now() - begun) / 1_000);
  const shortcomings = [...failedIssues(party.name, issued)];
  const watch = await watchRoles(options.provider, party.name, credentials);
  const quietFrom = watch.firstExpiry - quietMs;
  if (Date.now() > quietFrom) {
    shortcomings.push(
      `${party.name} issued so slowly at last that less than ${quietMs / 1_000} s before the first expiry were quiet.`,
    );
  }
  await until(quietFrom, signal);
  const leased: string[] = [];
  const asked = startCaller(size.callEveryMs, () => party.question.ask());
  const issuing = startCaller(size.callEveryMs, async () => {
    leased.push(await party.lease());
  });
  let wave: Omit<Wave, 'left'>;
  try {
    const [{ left, ...seen }, cpuBefore] = await Promise.all([
      watchUntilGone(options, watch),
      until(watch.firstExpiry, signal).then(() => cpuOf(options)),
    ]);
    const cpuAfter = await cpuOf(options);
    if (left > 0) {
      shortcomings.push(
        `${party.name}: ${left} of ${credentials.length} roles were there ${size.patienceMs / 1_000} s after the first expiry. ` +
          'They are counted as if they had gone then: what outlives them is longer than it is told.',
      );
    }
    const [issues, answers] = await Promise.all([issuing.finish(), asked.finish()]);
    const called = { issue: issues, [party.question.name]: answers };
    wave = {
      party: party.name,
      total: credentials.length,
      cores: availableParallelism(),
      issuedPerSecond,
      spreadMs: Math.max(...credentials.map(({ expiresAt }) => expiresAt)) - watch.firstExpiry,
      lags: lagsOf(credentials, watch),
      gone: watch.goneAt.size,
      ...seen,
      live: watch.looks.map(({ at, left: there }) => [(at - watch.firstExpiry) / 1_000, there]),
      latencies: Object.fromEntries(
        Object.entries(called).map(([name, { samples }]) => [name, splitAt(watch.firstExpiry, samples)]),
      ),
      cpuSeconds: difference(cpuBefore, cpuAfter),
      shortcomings: [...shortcomings, ...failedCalls(party.name, called)],
    };
  } finally {
    await Promise.allSettled([issuing.stop(), asked.stop()]);
  }
  say(`${party.name}: the watch ended ${(wave.wholeMs / 1_000).toFixed(1)} s after the first expiry.`);
  const { left, problems } = await cleanUp(options, leased);
  return { ...wave, left, shortcomings: [...wave.shortcomings, ...problems] };
}

type Seen = Pick<Wave, 'wholeMs' | 'connections' | 'transactionsPerSecond'> & {
  /** Roles that were there still when patience was at its end. */
  readonly left: number;
};

async function watchUntilGone({ provider, party, size, signal }: WaveOptions, watch: RoleWatch): Promise<Seen> {
  const { firstExpiry } = watch;
  const patience = firstExpiry + size.patienceMs;
  const transactions: Count[] = [];
  let connections = 0;
  for (;;) {
    const begun = Date.now();
    const { at, left } = await watch.look();
    if (at >= firstExpiry) {
      const load = await loadOf(provider, party.application);
      connections = Math.max(connections, load.connections);
      transactions.push({ at, n: load.transactions });
    }
    if (left === 0 || at > patience) {
      if (connections === 0) throw new Error(`${party.name} was never seen to be connected as ${party.application}.`);
      return {
        wholeMs: at - firstExpiry,
        connections,
        transactionsPerSecond: highestRate(transactions, RATE_WINDOW_MS),
        left,
      };
    }
    await until(nextLook(begun, size.lookEveryMs, firstExpiry), signal);
  }
}

/** Calls of the API that are in no latency. */
function failedCalls(party: string, called: Readonly<Record<string, Called>>): readonly string[] {
  return Object.entries(called).flatMap(([name, { samples, failures }]) =>
    failures.length === 0
      ? []
      : [
          `${party}: ${failures.length} of ${samples.length + failures.length} calls failed (${name}): ${reasonsOf(failures)}`,
        ],
  );
}

/** What PostgreSQL says of its clients: how many connections are this party's, and how many transactions there have been. */
async function loadOf(
  provider: WaveOptions['provider'],
  application: string,
): Promise<{ readonly connections: number; readonly transactions: number }> {
  const [row] = await provider.query(`SELECT
    (SELECT count(*)::int FROM pg_stat_activity WHERE application_name = ${escapeLiteral(application)}) AS connections,
    (SELECT (xact_commit + xact_rollback)::float8 FROM pg_stat_database
      WHERE datname = ${escapeLiteral(provider.database)}) AS transactions`);
  return { connections: Number(row?.['connections']), transactions: Number(row?.['transactions']) };
}

/** One that was not seen to go counts until the last look. */
export function lagsOf(
  credentials: readonly Credential[],
  { goneAt, looks }: Pick<RoleWatch, 'goneAt' | 'looks'>,
): readonly number[] {
  const last = looks.at(-1)?.at;
  return credentials.map(({ role, expiresAt }) => {
    const gone = goneAt.get(role) ?? last;
    if (gone === undefined) throw new Error('Nobody has looked.');
    return gone - expiresAt;
  });
}

function splitAt(firstExpiry: number, samples: readonly Sample[]): Latencies {
  const durations = (of: readonly Sample[]): readonly number[] => of.map(({ ms }) => ms);
  return {
    before: durations(samples.filter(({ at }) => at < firstExpiry)),
    during: durations(samples.filter(({ at }) => at >= firstExpiry)),
  };
}

async function cpuOf({ party, otherCpuSeconds }: WaveOptions): Promise<CpuSeconds> {
  const [own, others] = await Promise.all([party.cpuSeconds(), otherCpuSeconds()]);
  return { ...own, ...others };
}

function difference(before: CpuSeconds, after: CpuSeconds): CpuSeconds {
  return Object.fromEntries(
    Object.entries(after).map(([name, value]) => {
      const earlier = before[name] ?? null;
      return [name, value === null || earlier === null ? null : value - earlier];
    }),
  );
}

interface CleanedUp {
  /** Roles of the party that are there still. */
  readonly left: number;
  readonly problems: readonly string[];
}

async function cleanUp({ party, provider, size, signal }: WaveOptions, leased: readonly string[]): Promise<CleanedUp> {
  const problems: string[] = [];
  await revokeAll(party, leased, { concurrency: size.concurrency, signal }).catch((error: unknown) => {
    problems.push(`${party.name}: what was issued meanwhile could not all be revoked: ${messageOf(error)}`);
  });
  let left = 0;
  for (const prefix of party.rolePrefixes) left += await provider.countRoles(prefix);
  if (left > 0) problems.push(`${party.name} left ${left} roles behind.`);
  return { left, problems };
}

function timeOfDay(instant: number): string {
  return `${new Date(instant).toISOString().slice(11, 19)} UTC`;
}
