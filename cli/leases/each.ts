import { LeaseError } from '../../client/http';
import type { HttpLeases, Revocation } from '../../client/http';
import { EXIT, explain } from '../exit';
import { listenForInterrupt } from '../interrupt';
import { plural } from '../output/plural';
import { print, printJson } from '../output/print';
import { openProgress } from '../output/progress';
import { tell } from '../output/tell';
import { revocationJson } from './json';

export interface EachOptions {
  readonly reason: string;
  /** How long the confirmations are waited for, all together; null: not. */
  readonly waitMs: number | null;
  readonly json: boolean | undefined;
  /** Whether a count is enough for people. */
  readonly isMany: boolean;
}

/** Asked at the same time. */
const PARALLEL = 8;
/** After this an API that has answered before and now has too many requests, or is away, is asked again. */
const PAUSE_MS = 5_000;
/** So long after its last answer. Above the minute for which it counts requests. */
const PATIENCE_MS = 90_000;
/** So many failures among many are told one by one. */
const MOST_TOLD = 10;

/** Revokes leases one by one, tells of each and answers the exit code. What could not be revoked is told, and the others are all the same. */
export async function revokeEach(
  leases: Pick<HttpLeases, 'revoke'>,
  ids: readonly string[],
  { reason, waitMs, json, isMany }: EachOptions,
): Promise<number> {
  const interrupt = listenForInterrupt();
  const { signal } = interrupt;
  const progress = openProgress(waitMs === null ? 'accepted' : 'ended');
  const results: Results = { last: new Map(), failures: new Map() };
  const { last, failures } = results;
  let answeredAt = -Infinity;
  const ask = async (id: string, wait: number | null): Promise<void> => {
    const options = { reason, signal, ...(wait === null ? {} : { wait: Math.max(1, wait) }) };
    try {
      last.set(id, await leases.revoke(id, options));
      answeredAt = Date.now();
    } catch (error) {
      const isWorthIt = mayPass(error) && Date.now() - answeredAt < PATIENCE_MS && (wait === null || wait > PAUSE_MS);
      if (isWorthIt) await pause(PAUSE_MS, signal);
      if (isWorthIt && !signal.aborted) return ask(id, wait === null ? null : wait - PAUSE_MS);
      failures.set(id, error as Error);
    }
    const done = [...last.values()].filter(({ state }) => waitMs === null || state !== 'accepted').length;
    if (ids.length > 1) progress.update(done, ids.length, failures.size === 0 ? '' : `${failures.size} not`);
  };
  try {
    if (ids.length > 1) progress.update(0, ids.length);
    // All are asked for before one is waited for: a removal that does not come must not keep others from being asked for.
    if (waitMs === null || ids.length > PARALLEL) await inParallel(ids, signal, (id) => ask(id, null));
    if (waitMs !== null) {
      const deadline = Date.now() + waitMs;
      const isOpen = (id: string): boolean => !failures.has(id) && (last.get(id)?.state ?? 'accepted') === 'accepted';
      await inParallel(ids.filter(isOpen), signal, (id) => ask(id, deadline - Date.now()));
    }
  } finally {
    progress.close();
    interrupt.close();
  }
  await printResults(ids, results, json, isMany);
  return signal.aborted ? tellRest(ids, results) : codeOf(ids, results);
}

async function inParallel<T>(items: readonly T[], signal: AbortSignal, act: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const work = async (): Promise<void> => {
    for (const item of left) {
      if (signal.aborted) return;
      await act(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, items.length) }, work));
}

/** By lease. One that was accepted, and of which no end was seen, has both. */
interface Results {
  readonly last: Map<string, Revocation>;
  readonly failures: Map<string, Error>;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

function mayPass(error: unknown): boolean {
  return error instanceof LeaseError && ['Unavailable', 'Throttled'].includes(error.code);
}

async function printResults(
  ids: readonly string[],
  { last, failures }: Results,
  json: boolean | undefined,
  isMany: boolean,
): Promise<void> {
  const revocations = ids.map((id) => last.get(id)).filter((each) => each !== undefined);
  if (json === true) for (const revocation of revocations) await printJson(revocationJson(revocation));
  else if (isMany) await print(`${summarise(revocations)}\n`);
  else await print(revocations.map((revocation) => `${describe(revocation)}\n`).join(''));
  const told = [...failures].filter(([, failure]) => !isAborted(failure));
  for (const [id, failure] of told.slice(0, isMany ? MOST_TOLD : undefined))
    tell(`Lease ${id}: ${explain(failure)[1]}`);
  if (isMany && told.length > MOST_TOLD)
    tell(`So it is with ${plural(told.length - MOST_TOLD, 'more lease')}: leasehold leases list shows what is left.`);
}

function summarise(revocations: readonly Revocation[]): string {
  const accepted = revocations.filter(({ state }) => state === 'accepted').length;
  const ended = revocations.length - accepted;
  return [
    ...(ended === 0 && accepted > 0 ? [] : [`${plural(ended, 'lease')} ended and removed.`]),
    ...(accepted === 0 ? [] : [`${plural(accepted, 'lease')} being removed: leasehold leases list shows them.`]),
  ].join(' ');
}

function describe({ leaseId, state, endedAt }: Revocation): string {
  if (state === 'accepted') {
    return `Lease ${leaseId}: accepted. It is being removed: leasehold leases show ${leaseId}`;
  }
  return `Lease ${leaseId}: ${state}${endedAt === null ? '' : ` at ${endedAt.toISOString()}`}.`;
}

function isAborted(error: Error | undefined): boolean {
  return error instanceof LeaseError && error.code === 'Aborted';
}

function tellRest(ids: readonly string[], { last, failures }: Results): number {
  const asked = ids.filter((id) => last.has(id) || isAborted(failures.get(id))).length;
  tell(
    `Called off: ${asked} of ${plural(ids.length, 'lease')} were asked to end, which goes on by itself. ` +
      'leasehold leases list shows what is left.',
  );
  return EXIT.interrupted;
}

/** Of one kind of failure alone its own code; of some among others that there were problems. */
function codeOf(ids: readonly string[], { failures }: Results): number {
  const codes = new Set([...failures.values()].map((failure) => explain(failure)[0]));
  const [only] = codes;
  if (only === undefined) return EXIT.done;
  return failures.size === ids.length && codes.size === 1 ? only : EXIT.problems;
}
