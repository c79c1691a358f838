import { setTimeout as sleep } from 'node:timers/promises';
import type { Say } from '../dev/story';
import { load } from './load';
import { messageOf } from './missing';
import type { Missing } from './missing';
import { formatCount, formatSpan, tellProgress } from './progress';
import type { Provider } from './provider';
import type { Contender, Held } from './restart-contender';
import type { HistorySize } from './restart-temporal';
import { rolesLeft, untilGone } from './roles-gone';
import { median } from './statistics';
import type { Usage } from './usage';

/** How long and how many. */
export interface RoundSize {
  /** Of leases that shall sleep on. */
  readonly ttl: string;
  readonly issuedAtOnce: number;
  /** After the last lease was issued, before it is looked how the processes rest. */
  readonly settleMs: number;
  /** For which their CPU is measured. */
  readonly restMs: number;
  /** Leases whose histories are measured, of each kind. */
  readonly sampled: number;
  /** Leases that end while everything is down. */
  readonly overdue: number;
  readonly overdueTtl: string;
  readonly downMs: number;
  /** Leases issued and revoked after the restart. */
  readonly further: number;
  readonly furtherAtOnce: number;
}

/** What a process has and uses while nothing is asked of it. */
export interface Rest {
  readonly residentMb: number | null;
  /** Of one core. */
  readonly cpuPercent: number | null;
}

/** What N sleeping leases cost, and how a system with them came back. */
export interface Round {
  readonly who: string;
  readonly leases: number;
  /** At which the last of them were issued. Null if none were added. */
  readonly issuedPerSecond: number | null;
  /** What issues failed of that were made again. */
  readonly failedIssues: readonly string[];
  readonly rest: Readonly<Record<string, Rest>>;
  readonly storageBytes: number;
  /** With leases of earlier rounds that have ended. */
  readonly begun: number;
  /** How long it took to look once through all of them; null for a system that does no such thing, or if it failed. */
  readonly sweepMs: number | null;
  /** Resident, right after that. */
  readonly sweptMb: Readonly<Record<string, number | null>>;
  /** Null: it did not come back as it must. */
  readonly back: Back | null;
}

/** How a system came back after all of it was killed. */
export interface Back {
  /** Of a process from its start, in milliseconds. */
  readonly readyMs: Readonly<Record<string, number>>;
  /** From the instant at which all were ready. */
  readonly firstIssueMs: number;
  /** How often it was asked until it was issued. */
  readonly firstIssueTries: number;
  readonly overdue: number;
  /** From the same instant, as is the next; negative if it came before. */
  readonly overdueMedianMs: number;
  readonly overdueLastMs: number;
  /** Resident, when the overdue leases were gone. */
  readonly restartedMb: Readonly<Record<string, number | null>>;
  readonly further: number;
  /** Resident, after so many further leases were issued and revoked; nothing if that failed. */
  readonly furtherMb: Readonly<Record<string, number | null>>;
  /** Null for a system that keeps none, or if they could not be measured. */
  readonly histories: Histories | null;
}

export interface Histories {
  readonly sleeping: readonly HistorySize[];
  readonly expired: readonly HistorySize[];
  readonly revoked: readonly HistorySize[];
}

/** What a contender has done in earlier rounds. */
export interface Population {
  readonly sleeping: readonly string[];
  readonly begun: number;
}

export interface RoundOptions {
  readonly contender: Contender;
  readonly provider: Provider;
  readonly leases: number;
  readonly before: Population;
  readonly size: RoundSize;
  readonly missing: Missing;
  readonly say: Say;
  readonly signal: AbortSignal;
}

const LOOK_EVERY_MS = 100;
const GONE_WITHIN_MS = 180_000;
const SETTLED_WITHIN_MS = 30_000;
const SETTLE_LOOK_EVERY_MS = 1_000;
const FIRST_ISSUE_WITHIN_MS = 180_000;
const AGAIN_AFTER_MS = 100;
/** What an issue of a sleeping lease may fail: only what stands at the end counts. */
const ATTEMPTS = 3;
/** What is expected before anything was measured. */
const ASSUMED_PER_SECOND = 50;

export interface Played {
  readonly round: Round;
  /** Null: it can play no more. */
  readonly after: Population | null;
}

/**
 * Lets leases sleep until there are so many, kills everything while some of them are about to end, starts it and measures what it
 * costs and how long it takes. What fails once the leases sleep is noted as missing, and the rest of the round stands.
 * @throws if there are not so many leases asleep, each with its role at PostgreSQL.
 */
export async function playRound(options: RoundOptions): Promise<Played> {
  const { contender, leases, before, size, say, missing, signal } = options;
  const failedIssues: string[] = [];
  const { grown, perSecond } = await grow(options, failedIssues);
  const sleeping = [...before.sleeping, ...grown];
  await checkRoles(options, leases);
  await sleep(size.settleMs, undefined, { signal });
  const rest = await watchRest(options);
  // Before the sweep, which writes as well.
  const storageBytes = await contender.storageBytes();
  const begun = before.begun + grown.length;
  const sweep = (): Promise<number | null> => contender.sweep?.(leases, signal) ?? Promise.resolve(null);
  const sweepMs = await missing.attempt(lostBy(options, 'no sweep was measured'), sweep);
  const sweptMb = residentOf(await contender.usage());
  say(`${contender.name}, ${formatCount(leases)} leases: everything is killed, and started again.`);
  const back = await missing.attempt(lostBy(options, 'it did not come back as it must'), () =>
    comeBack(options, sleeping, failedIssues),
  );
  const round: Round = {
    who: contender.name,
    leases,
    issuedPerSecond: perSecond,
    failedIssues,
    rest,
    storageBytes,
    begun,
    sweepMs,
    sweptMb,
    back,
  };
  // One more was the first to be issued.
  return { round, after: back === null ? null : { sleeping, begun: begun + back.overdue + 1 + back.further } };
}

function lostBy({ contender, leases }: RoundOptions, what: string): string {
  return `${contender.name}, ${formatCount(leases)} leases: ${what}`;
}

async function grow(
  { contender, leases, before, size, say, signal }: RoundOptions,
  failedIssues: string[],
): Promise<{
  readonly grown: readonly string[];
  readonly perSecond: number | null;
}> {
  const from = before.sleeping.length;
  const total = leases - from;
  if (total <= 0) return { grown: [], perSecond: null };
  const expected = formatSpan((total / ASSUMED_PER_SECOND) * 1_000);
  say(
    `${contender.name}: ${formatCount(total)} leases are issued, which takes about ${expected} at ${ASSUMED_PER_SECOND} a second.`,
  );
  const progress = tellProgress({ what: `leases of ${contender.name} sleep`, from, to: leases, say });
  const grown: string[] = [];
  try {
    const { wholeMs } = await load({ total, concurrency: size.issuedAtOnce, signal }, async () => {
      grown.push((await patiently(() => contender.issue(size.ttl), failedIssues)).id);
      progress.step();
    });
    return { grown, perSecond: (total / wholeMs) * 1_000 };
  } finally {
    progress.end();
  }
}

/** @param failures is told what each attempt failed of. */
async function patiently(issue: () => Promise<Held>, failures: string[]): Promise<Held> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await issue();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      failures.push(messageOf(error));
    }
  }
}

/** What an issue that failed has made may take a moment to go. */
async function checkRoles({ contender, provider, signal }: RoundOptions, expected: number): Promise<void> {
  const until = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const counts = await Promise.all(contender.rolePrefixes.map((prefix) => provider.countRoles(prefix)));
    const found = counts.reduce((sum, count) => sum + count, 0);
    if (found === expected) return;
    if (performance.now() > until) {
      throw new Error(`${contender.name} should have ${expected} roles at PostgreSQL and has ${found}.`);
    }
    await sleep(SETTLE_LOOK_EVERY_MS, undefined, { signal });
  }
}

async function watchRest({ contender, size, signal }: RoundOptions): Promise<Readonly<Record<string, Rest>>> {
  const before = await contender.usage();
  const began = performance.now();
  await sleep(size.restMs, undefined, { signal });
  const after = await contender.usage();
  const seconds = (performance.now() - began) / 1_000;
  return Object.fromEntries(
    contender.programs.map((program) => {
      const [first, last] = [before[program]?.cpuSeconds ?? null, after[program]?.cpuSeconds ?? null];
      const cpuPercent = first === null || last === null ? null : ((last - first) / seconds) * 100;
      return [program, { residentMb: after[program]?.residentMb ?? null, cpuPercent }];
    }),
  );
}

/** Kills everything, starts it again, and measures what is there then. @throws if it does not come back, or a role is not as it must be. */
async function comeBack(options: RoundOptions, sleeping: readonly string[], failedIssues: string[]): Promise<Back> {
  const { contender, leases, size, missing } = options;
  const { overdueIds, ...restarted } = await restart(options, failedIssues);
  const restartedMb = residentOf(await contender.usage());
  const revoked: string[] = [];
  const furtherMb = await missing.attempt(
    lostBy(options, 'further leases could not all be issued and revoked'),
    async () => {
      await furtherLeases(options, revoked);
      return residentOf(await contender.usage());
    },
  );
  await missing.attempt(lostBy(options, 'the roles at the end are not those of the leases that sleep'), () =>
    checkRoles(options, leases),
  );
  const histories = await missing.attempt(lostBy(options, 'no histories were measured'), () =>
    measureHistories(contender, {
      sleeping: sampleOf(sleeping, size.sampled),
      expired: overdueIds,
      revoked: sampleOf(revoked, size.sampled),
    }),
  );
  return {
    ...restarted,
    overdue: overdueIds.length,
    restartedMb,
    further: revoked.length,
    furtherMb: furtherMb ?? {},
    histories,
  };
}

type Restarted = Pick<Back, 'readyMs' | 'firstIssueMs' | 'firstIssueTries' | 'overdueMedianMs' | 'overdueLastMs'> & {
  readonly overdueIds: readonly string[];
};

async function restart(options: RoundOptions, failedIssues: string[]): Promise<Restarted> {
  const { contender, provider, size, signal } = options;
  const overdue = await Promise.all(
    Array.from({ length: size.overdue }, () => patiently(() => contender.issue(size.overdueTtl), failedIssues)),
  );
  await contender.kill();
  const roles = overdue.map(({ role }) => role);
  const left = await rolesLeft(provider, roles);
  if (left.size < roles.length) {
    throw new Error(`${roles.length - left.size} of ${roles.length} leases had ended before everything was killed.`);
  }
  await sleep(size.downMs, undefined, { signal });
  const began = performance.now();
  const over = new AbortController();
  const watching = untilGone(provider, roles, {
    everyMs: LOOK_EVERY_MS,
    withinMs: GONE_WITHIN_MS,
    signal: AbortSignal.any([signal, over.signal]),
  });
  // It is awaited below, and must not be a rejection that nobody waits for until then.
  watching.catch(() => undefined);
  try {
    const readyMs = await contender.start(signal);
    const up = began + Math.max(...Object.values(readyMs));
    const { held: first, tries: firstIssueTries } = await issueFirst(contender, size.ttl, signal);
    const firstIssueMs = performance.now() - up;
    const gone = (await watching).map((at) => at - up);
    await first.revoke();
    return {
      readyMs,
      firstIssueMs,
      firstIssueTries,
      overdueIds: overdue.map(({ id }) => id),
      overdueMedianMs: median(gone),
      overdueLastMs: Math.max(...gone),
    };
  } finally {
    over.abort();
  }
}

/** Asked again and again, as a program does that needs a credential. */
async function issueFirst(
  contender: Contender,
  ttl: string,
  signal: AbortSignal,
): Promise<{ readonly held: Held; readonly tries: number }> {
  const until = performance.now() + FIRST_ISSUE_WITHIN_MS;
  for (let tries = 1; ; tries += 1) {
    try {
      return { held: await contender.issueAnew(ttl, signal), tries };
    } catch (error) {
      if (signal.aborted || performance.now() > until) throw error;
    }
    await sleep(AGAIN_AFTER_MS, undefined, { signal });
  }
}

/** @param revoked is told each of them when it is gone. */
async function furtherLeases({ contender, size, signal }: RoundOptions, revoked: string[]): Promise<void> {
  await load({ total: size.further, concurrency: size.furtherAtOnce, signal }, async () => {
    const held = await contender.issue(size.ttl);
    await held.revoke();
    revoked.push(held.id);
  });
}

async function measureHistories(
  { historyOf }: Contender,
  ids: Readonly<Record<keyof Histories, readonly string[]>>,
): Promise<Histories | null> {
  if (historyOf === null) return null;
  return {
    sleeping: await historyOf(ids.sleeping, 'sleeping'),
    expired: await historyOf(ids.expired, 'ended'),
    revoked: await historyOf(ids.revoked, 'ended'),
  };
}

/** Spread over all of them. */
function sampleOf<T>(all: readonly T[], count: number): readonly T[] {
  const step = Math.max(1, Math.floor(all.length / count));
  return all.filter((_, index) => index % step === 0).slice(0, count);
}

function residentOf(usages: Readonly<Record<string, Usage>>): Readonly<Record<string, number | null>> {
  return Object.fromEntries(Object.entries(usages).map(([program, { residentMb }]) => [program, residentMb]));
}
