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

/** Revokes leases one by one, tells of each and answers the exit code. What could not be revoked is told, and the others are all the same. */
export async function revokeEach(
  leases: Pick<HttpLeases, 'revoke'>,
  ids: readonly string[],
  { reason, waitMs, json, isMany }: EachOptions,
): Promise<number> {
  const interrupt = listenForInterrupt();
  const { signal } = interrupt;
  const progress = openProgress(waitMs === null ? 'accepted' : 'ended');
  const results = new Map<string, Revocation | Error>();
  const ask = async (id: string, wait: number | null): Promise<void> => {
    const options = { reason, signal, ...(wait === null ? {} : { wait: Math.max(1, wait) }) };
    results.set(id, await leases.revoke(id, options).catch((error: unknown) => error as Error));
    const isEnd = ({ state }: Revocation): boolean => waitMs === null || state !== 'accepted';
    const done = [...results.values()].filter((each) => !(each instanceof Error) && isEnd(each)).length;
    const failed = [...results.values()].filter((each) => each instanceof Error).length;
    if (ids.length > 1) progress.update(done, ids.length, failed === 0 ? '' : `${failed} not`);
  };
  try {
    if (ids.length > 1) progress.update(0, ids.length);
    // All are asked for before one is waited for: a removal that does not come must not keep others from being asked for.
    if (waitMs === null || ids.length > PARALLEL) await inParallel(ids, signal, (id) => ask(id, null));
    if (waitMs !== null) {
      const deadline = Date.now() + waitMs;
      const isOpen = (id: string): boolean => {
        const result = results.get(id);
        return result === undefined || (!(result instanceof Error) && result.state === 'accepted');
      };
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

type Results = ReadonlyMap<string, Revocation | Error>;

async function printResults(
  ids: readonly string[],
  results: Results,
  json: boolean | undefined,
  isMany: boolean,
): Promise<void> {
  const revocations = ids.map((id) => results.get(id)).filter(isRevocation);
  if (json === true) for (const revocation of revocations) await printJson(revocationJson(revocation));
  else if (isMany) await print(`${summarise(revocations)}\n`);
  else await print(revocations.map((revocation) => `${describe(revocation)}\n`).join(''));
  for (const [id, failure] of results) {
    if (failure instanceof Error && !isAborted(failure)) tell(`Lease ${id}: ${explain(failure)[1]}`);
  }
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

function isRevocation(result: Revocation | Error | undefined): result is Revocation {
  return result !== undefined && !(result instanceof Error);
}

function isAborted(error: Error): boolean {
  return error instanceof LeaseError && error.code === 'Aborted';
}

function tellRest(ids: readonly string[], results: Results): number {
  const asked = [...results.values()].filter((each) => !(each instanceof Error) || isAborted(each)).length;
  tell(
    `Called off: ${asked} of ${plural(ids.length, 'lease')} were asked to end, which goes on by itself. ` +
      'leasehold leases list shows what is left.',
  );
  return EXIT.interrupted;
}

/** Of one kind of failure alone its own code; of some among others that there were problems. */
function codeOf(ids: readonly string[], results: Results): number {
  const failures = [...results.values()].filter((each) => each instanceof Error);
  const codes = new Set(failures.map((failure) => explain(failure)[0]));
  const [only] = codes;
  if (only === undefined) return EXIT.done;
  return failures.length === ids.length && codes.size === 1 ? only : EXIT.problems;
}
