import { setTimeout as sleep } from 'node:timers/promises';
import type { Say } from '../dev/story';
import { load } from './load';
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
  readonly rest: Readonly<Record<string, Rest>>;
  /** How long it took to look once through all of them; null for a system that does no such thing. */
  readonly sweepMs: number | null;
  /** Resident, right after that. */
  readonly sweptMb: Readonly<Record<string, number | null>>;
  readonly storageBytes: number;
  /** With leases of earlier rounds that have ended. */
  readonly begun: number;
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
  /** Resident, after so many further leases were issued and revoked. */
  readonly furtherMb: Readonly<Record<string, number | null>>;
  /** Null for a system that keeps none. */
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
/** What is expected of a machine with two cores before anything was measured. */
const ASSUMED_PER_SECOND = 50;

/**
 * Lets leases sleep until there are so many, kills everything while some of them are about to end, starts it and measures what it
 * costs and how long it takes.
 * @throws if a lease that was issued is not at PostgreSQL, or one that has ended is.
 */
export async function playRound(options: RoundOptions): Promise<{ readonly round: Round; readonly after: Population }> {
  const { contender, leases, before, size, say, signal } = options;
  const { grown, perSecond } = await grow(options);
  const sleeping = [...before.sleeping, ...grown];
  await checkRoles(options, leases);
  await sleep(size.settleMs, undefined, { signal });
  const rest = await watchRest(options);
  const sweepMs = (await contender.sweep?.(leases)) ?? null;
  const sweptMb = residentOf(await contender.usage());
  const storageBytes = await contender.storageBytes();
  const begun = before.begun + grown.length;
  say(`${contender.name}, ${formatCount(leases)} leases: everything is killed, and started again.`);
  const restarted = await restart(options);
  const restartedMb = residentOf(await contender.usage());
  const revoked = await furtherLeases(options);
  const furtherMb = residentOf(await contender.usage());
  await checkRoles(options, leases);
  const histories = await measureHistories(contender, {
    sleeping: sampleOf(sleeping, size.sampled),
    expired: restarted.overdueIds,
    revoked: sampleOf(revoked, size.sampled),
  });
  const { overdueIds, ...figures } = restarted;
  const round: Round = {
    who: contender.name,
    leases,
    issuedPerSecond: perSecond,
    rest,
    sweepMs,
    sweptMb,
    storageBytes,
    begun,
    ...figures,
    overdue: overdueIds.length,
    restartedMb,
    further: revoked.length,
    furtherMb,
    histories,
  };
  return { round, after: { sleeping, begun: begun + overdueIds.length + 1 + revoked.length } };
}

async function grow({ contender, leases, before, size, say, signal }: RoundOptions): Promise<{
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
      grown.push((await patiently(() => contender.issue(size.ttl))).id);
      progress.step();
    });
    return { grown, perSecond: (total / wholeMs) * 1_000 };
  } finally {
    progress.end();
  }
}

async function patiently(issue: () => Promise<Held>): Promise<Held> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await issue();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

/** What an issue that failed has made may take a moment to go. */
async function checkRoles({ contender, provider, signal }: RoundOptions, expected: number): Promise<void> {
  const until = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const found = await provider.countRoles(contender.rolePrefix);
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

type Restarted = Pick<Round, 'readyMs' | 'firstIssueMs' | 'firstIssueTries' | 'overdueMedianMs' | 'overdueLastMs'> & {
  readonly overdueIds: readonly string[];
};

async function restart(options: RoundOptions): Promise<Restarted> {
  const { contender, provider, size, signal } = options;
  const overdue = await Promise.all(
    Array.from({ length: size.overdue }, () => patiently(() => contender.issue(size.overdueTtl))),
  );
  await contender.kill();
  const roles = overdue.map(({ role }) => role);
  const left = await rolesLeft(provider, roles);
  if (left.size < roles.length) {
    throw new Error(`${roles.length - left.size} of ${roles.length} leases had ended before everything was killed.`);
  }
  await sleep(size.downMs, undefined, { signal });
  const began = performance.now();
  const watching = untilGone(provider, roles, { everyMs: LOOK_EVERY_MS, withinMs: GONE_WITHIN_MS, signal });
  // It is awaited below, and must not be a rejection that nobody waits for until then.
  watching.catch(() => undefined);
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

async function furtherLeases({ contender, size, signal }: RoundOptions): Promise<readonly string[]> {
  const ids: string[] = [];
  await load({ total: size.further, concurrency: size.furtherAtOnce, signal }, async () => {
    const held = await contender.issue(size.ttl);
    await held.revoke();
    ids.push(held.id);
  });
  return ids;
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
