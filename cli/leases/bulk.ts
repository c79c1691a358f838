import { setTimeout as sleep } from 'node:timers/promises';
import { LeaseError } from '../../client/http';
import type { BulkRevocation, HttpLeases, RevokeManyRequest } from '../../client/http';
import { EXIT } from '../exit';
import { listenForInterrupt } from '../interrupt';
import { plural } from '../output/plural';
import { print, printJson } from '../output/print';
import { printable } from '../output/printable';
import { openProgress } from '../output/progress';
import { tell } from '../output/tell';
import { describeFilter } from './filter';
import { bulkJson } from './json';

export interface BulkOptions {
  /** How long it is watched; null: not, infinite: until it is done. */
  readonly waitMs: number | null;
  /** How many leases there were before; undefined: not known. */
  readonly total: number | undefined;
  readonly json: boolean | undefined;
}

const FIRST_LOOK_MS = 250;
const LOOK_EVERY_MS = 1_000;
/** So long an API that does not answer is asked on. */
const PATIENCE_MS = 60_000;

/** Has the server revoke all that is meant, watches it, tells how it ended and answers the exit code. */
export async function revokeBulk(
  leases: Pick<HttpLeases, 'revokeMany' | 'revocation'>,
  request: RevokeManyRequest,
  { waitMs, total, json }: BulkOptions,
): Promise<number> {
  const interrupt = listenForInterrupt();
  const { signal } = interrupt;
  try {
    const begun = await leases.revokeMany(request);
    const last = waitMs === null ? begun : await watch(leases, begun, { signal, until: Date.now() + waitMs, total });
    if (json === true) await printJson(bulkJson(last));
    else await print(`${printable(describe(last))}\n`);
    tellBlock(last);
    if (last.state !== 'running') return last.state === 'done' && last.remark === null ? EXIT.done : EXIT.problems;
    tell(`It goes on by itself: leasehold leases revocations ${last.id}`);
    if (signal.aborted) return EXIT.interrupted;
    return waitMs === null ? EXIT.done : EXIT.timeout;
  } finally {
    interrupt.close();
  }
}

interface Watching {
  readonly signal: AbortSignal;
  readonly until: number;
  readonly total: number | undefined;
}

/** @returns what was seen last: `running` if it was not waited for any longer. */
async function watch(
  leases: Pick<HttpLeases, 'revocation'>,
  begun: BulkRevocation,
  { signal, until, total: known = 0 }: Watching,
): Promise<BulkRevocation> {
  const progress = openProgress('ended or being removed');
  let seen = begun;
  let seenAt = Date.now();
  let total = known;
  try {
    for (let pauseMs = FIRST_LOOK_MS; seen.state === 'running' && Date.now() < until; pauseMs = LOOK_EVERY_MS) {
      total = Math.max(total, seen.left);
      // Until a first listing is over, nobody knows of an end.
      if (seen.rounds === 0) progress.update(0, total, `${seen.signalled} told`);
      else progress.update(total - seen.left, total, seen.left === 0 ? 'looking again' : '');
      await sleep(Math.min(pauseMs, until - Date.now()), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return seen;
      try {
        seen = await leases.revocation(begun.id);
        seenAt = Date.now();
      } catch (error) {
        if (!mayPass(error) || Date.now() - seenAt > PATIENCE_MS) throw goesOn(error, begun.id);
      }
    }
    return seen;
  } finally {
    progress.close();
  }
}

function mayPass(error: unknown): boolean {
  return error instanceof LeaseError && ['Unavailable', 'Timeout', 'Throttled'].includes(error.code);
}

function goesOn(error: unknown, id: string): unknown {
  if (!(error instanceof LeaseError)) return error;
  return new LeaseError(error.code, `${error.message} The revocation goes on: leasehold leases revocations ${id}`);
}

/** In a sentence or two. */
export function describe({ id, state, filter, left, stillRemoving, signalled }: BulkRevocation): string {
  const of = describeFilter(filter);
  const removing =
    stillRemoving === 0 ? '' : ` ${plural(stillRemoving, 'lease')} being removed, which goes on by itself.`;
  switch (state) {
    case 'done':
      return `No lease of ${of} is left that was not told to end.${removing} Revocation ${id} is done.`;
    case 'running':
      return `Revocation ${id} of all leases of ${of} is under way: ${plural(signalled, 'lease')} told so far.${removing}`;
    case 'incomplete':
      return `${plural(left, 'lease')} of ${of} did not react, however often told. Revocation ${id} has given up.${removing}`;
    case 'stopped':
      return `Revocation ${id} of all leases of ${of} was ended by hand in Temporal before it was done.${removing}`;
  }
}

function tellBlock({ filter, blockId, remark, state }: BulkRevocation): void {
  const of = describeFilter(filter);
  if (remark !== null) tell(remark);
  else if (blockId !== null)
    tell(`Block ${blockId} stays: no lease of ${of} is issued until leasehold blocks lift ${blockId}`);
  else if (state === 'running' && filter.entity === undefined) {
    tell(`A block is being placed and stays until it is lifted: leasehold blocks list`);
  }
}
