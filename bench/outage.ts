import { escapeLiteral } from 'pg';
import type { Bench, BenchContext, Findings, Size } from './bench';
import { openGate } from './gate';
import type { Gate } from './gate';
import { collectMissing } from './missing';
import type { Missing } from './missing';
import { OPENBAO_SOURCE } from './openbao';
import { withOpened } from './opened';
import { startProvider } from './provider';
import type { Provider } from './provider';
import { failedIssues, issueUntil } from './expire/issue-until';
import { openParties } from './expire/parties';
import type { Credential, Party } from './expire/party';
import { until } from './expire/time';
import { watchRoles } from './expire/watch';
import type { RoleWatch } from './expire/watch';
import { BEFORE_MS, lastGoneMs, liveTable, outagePlot, removalTable } from './outage/report';
import type { Outage, Outcome } from './outage/report';
import { holdSession } from './outage/session';
import type { HeldSession } from './outage/session';

/** All that makes a size. */
const SIZES: Readonly<Record<Size, OutageSize>> = {
  quick: { total: 10, concurrency: 5, leadMs: 15_000, awayMs: 30_000, afterMs: 60_000 },
  // OpenBao's pauses between its six attempts are 620 s on average, and for one credential in fifteen more than this.
  full: { total: 100, concurrency: 10, leadMs: 30_000, awayMs: 13 * 60_000, afterMs: 10 * 60_000 },
};

interface OutageSize {
  /** Credentials of each party. */
  readonly total: number;
  /** Issued at once, by each party. */
  readonly concurrency: number;
  /** From the beginning of issuing to the first expiry. */
  readonly leadMs: number;
  /** From the expiry until the provider is back. */
  readonly awayMs: number;
  /** Watched from its return on. */
  readonly afterMs: number;
}

/** The provider goes away so long before the first expiry. */
const CUT_BEFORE_MS = 3_000;
const GONE_WITHIN_MS = 30_000;
const OPENBAO_TTL = '1h';
/** Between two looks: while nothing can happen, while most does, and later. */
const IDLE_PAUSE_MS = 10_000;
const FINE_PAUSE_MS = 250;
const FINE_FOR_MS = 60_000;
const LATE_PAUSE_MS = 1_000;

export const outage: Bench = {
  name: 'outage',
  about: 'PostgreSQL away while leases expire, for longer than OpenBao tries: what lives on after its return',
  run,
};

async function run(context: BenchContext): Promise<Findings> {
  const { directory, tools, size } = context;
  const missing = collectMissing(context);
  return withOpened(async (open) => {
    const provider = await open(startProvider(directory), (opened) => opened.stop());
    const gate = await open(openGate(provider), (opened) => opened.close());
    const { leasehold, bao } = await openParties(open, {
      directory,
      tools,
      provider,
      reach: gate,
      ttl: OPENBAO_TTL,
      limits: null,
    });
    const parties = [leasehold, bao];
    const seen = await measure(context, { provider, gate, parties }, missing);
    return { ...report(seen, size), missing: missing.sentences };
  }, missing.noteUnstopped);
}

interface Setting {
  readonly provider: Provider;
  /** The parties' only way to it. */
  readonly gate: Gate;
  readonly parties: readonly Party[];
}

async function measure(
  { size, signal, say }: BenchContext,
  { provider, gate, parties }: Setting,
  missing: Missing,
): Promise<Outage> {
  const { total, concurrency, leadMs, awayMs, afterMs } = SIZES[size];
  const dueAt = Date.now() + leadMs;
  const issued = await Promise.all(
    parties.map(async (party) => ({ party, ...(await issueUntil(party, dueAt, { total, concurrency, signal })) })),
  );
  for (const { party, ...of } of issued) {
    for (const sentence of failedIssues(party.name, of)) missing.note(sentence);
  }
  const watched: Watched[] = [];
  try {
    for (const { party, credentials } of issued) watched.push(await watchParty(provider, party, credentials));
    await until(dueAt - CUT_BEFORE_MS, signal);
    await lookAll(watched);
    gate.cut();
    const cutAt = Date.now();
    say(`PostgreSQL is away; ${total} credentials of each are about to expire.`);
    const returnsAt =
      Math.max(...issued.flatMap(({ credentials }) => credentials).map(({ expiresAt }) => expiresAt)) + awayMs;
    await ensureCut(provider, signal);
    await waitOut(watched, returnsAt, signal);
    ensureAllThere(watched);
    gate.mend();
    const returnedAt = Date.now();
    say(`PostgreSQL is back after ${Math.round((returnedAt - cutAt) / 1_000)} s.`);
    await missing.attempt('The watch after the return of PostgreSQL ended early', () =>
      watchRemovals(watched, returnedAt, returnedAt + afterMs, signal),
    );
    const endedAt = Date.now();
    const outcomes = await Promise.all(watched.map(outcomeOf));
    await missing.attempt('It was not seen whether there are roles that were never handed out', async () => {
      for (const sentence of await strangersOf(provider, watched)) missing.note(sentence);
    });
    return { cutAt, returnedAt, endedAt, outcomes };
  } finally {
    await Promise.allSettled(watched.map(({ session }) => session.close()));
  }
}

interface Watched {
  readonly party: Party;
  readonly credentials: readonly Credential[];
  readonly watch: RoleWatch;
  readonly session: HeldSession;
}

async function watchParty(provider: Provider, party: Party, credentials: readonly Credential[]): Promise<Watched> {
  const [first] = credentials;
  if (first === undefined) throw new Error(`${party.name} issued nothing.`);
  const watch = await watchRoles(provider, party.name, credentials);
  return { party, credentials, watch, session: await holdSession(provider, first) };
}

async function lookAll(watched: readonly Watched[]): Promise<void> {
  for (const { watch } of watched) await watch.look();
}

/** @throws Error if a party still has a connection to the provider, which then was not away. */
async function ensureCut(provider: Provider, signal: AbortSignal): Promise<void> {
  await until(Date.now() + CUT_BEFORE_MS / 2, signal);
  const [row] = await provider.query(
    `SELECT count(*)::int AS open FROM pg_stat_activity WHERE usename = ${escapeLiteral(provider.orchestrator.user)}`,
  );
  if (row?.['open'] !== 0) throw new Error(`${String(row?.['open'])} connections to PostgreSQL outlived the cut.`);
}

async function waitOut(watched: readonly Watched[], returnsAt: number, signal: AbortSignal): Promise<void> {
  while (Date.now() < returnsAt) {
    await lookAll(watched);
    const pause = Date.now() < returnsAt - BEFORE_MS ? IDLE_PAUSE_MS : LATE_PAUSE_MS;
    await until(Math.min(Date.now() + pause, returnsAt), signal);
  }
  await lookAll(watched);
}

/** @throws Error if a role went although nobody could reach it: then it was no outage. */
function ensureAllThere(watched: readonly Watched[]): void {
  const gone = watched.find(({ watch }) => watch.goneAt.size > 0);
  if (gone !== undefined) throw new Error(`Roles of ${gone.party.name} went while PostgreSQL was away.`);
}

/** Until then, or until all are gone. */
async function watchRemovals(
  watched: readonly Watched[],
  returnedAt: number,
  endsAt: number,
  signal: AbortSignal,
): Promise<void> {
  while (Date.now() < endsAt) {
    await lookAll(watched);
    if (watched.every(({ watch, credentials }) => watch.goneAt.size === credentials.length)) return;
    const pause = Date.now() < returnedAt + FINE_FOR_MS ? FINE_PAUSE_MS : LATE_PAUSE_MS;
    await until(Math.min(Date.now() + pause, endsAt), signal);
  }
}

async function outcomeOf({ party, credentials, watch, session }: Watched): Promise<Outcome> {
  return {
    party: party.name,
    total: credentials.length,
    firstExpiry: watch.firstExpiry,
    looks: watch.looks,
    gone: [...watch.goneAt.values()],
    sessionEndedAt: await session.ended(),
  };
}

/** Roles at the end that are of none of the credentials. Nobody watched them, and they are in no figure. */
async function strangersOf(provider: Provider, watched: readonly Watched[]): Promise<readonly string[]> {
  const sentences: string[] = [];
  for (const { party, credentials } of watched) {
    const issued = new Set(credentials.map(({ role }) => role));
    const roles = (await Promise.all(party.rolePrefixes.map((prefix) => provider.listRoles(prefix)))).flat();
    const strangers = roles.filter((role) => !issued.has(role));
    if (strangers.length > 0) {
      sentences.push(
        `${party.name} left ${strangers.length} roles that were never handed out: ${strangers.join(', ')}`,
      );
    }
  }
  return sentences;
}

function report(seen: Outage, size: Size): Findings {
  const { cutAt, returnedAt } = seen;
  const { total, awayMs } = SIZES[size];
  return {
    tables: [liveTable(seen), removalTable(seen)],
    plots: [outagePlot(seen)],
    notes: [
      `PostgreSQL was away for ${Math.round((returnedAt - cutAt) / 1_000)} s, ${awayMs / 1_000} s of them after the last of ${total} credentials of each party had expired: a gate between it and both parties was shut. Who watched went around the gate.`,
      ...seen.outcomes
        .filter(({ party }) => party === 'Leasehold')
        .map((outcome) => targetNote(lastGoneMs(seen, outcome))),
      `OpenBao's source (internal/vault/expiration.go; ${OPENBAO_SOURCE}) has maxRevokeAttempts = 6 and waits 10 s · 2^n, more or less by up to half, after the nth: 20, 40, 80, 160 and 320 s, together 310 to 930 s and 620 s on average. After the sixth failure the lease is marked irrevocable; a timer tries such leases again every 24 hours.`,
      'The roles of both parties have a VALID UNTIL, by which PostgreSQL itself refuses new logins with the password: of OpenBao five seconds after the expiry, of Leasehold ten minutes or more. It ends no open session and removes nothing: "may log in" counts what it lets in. The session of a holder was opened before the outage; OpenBao\'s own revocation drops the role and ends no session.',
      "Leasehold's timings and limits are its defaults. Both parties issued and removed at the same time, as both have the same outage.",
    ],
    data: seen,
  };
}

function targetNote(ms: number | null): string {
  const target = `the target is ${GONE_WITHIN_MS / 1_000} s`;
  if (ms === null) return `Leasehold: not all were gone when the watch ended (${target}).`;
  return `Leasehold: the last one was gone ${(ms / 1_000).toFixed(1)} s after the return of PostgreSQL (${target}).`;
}
