import { setTimeout as sleep } from 'node:timers/promises';
import { connectHttpLeases, LeaseError } from '../../client/http';
import type { HttpLeases } from '../../client/http';
import { grpcStatusOf } from '../../temporal/service';
import type { Holdings } from './holdings';
import { HOLDERS } from './plan-types';
import type { HolderName } from './plan-types';
import type { ChangeSeen, Recorder } from './trace';
import type { World } from './world-types';

export type ApiName = 'api-1' | 'api-2';

/** Who does the operations of a run, and what they need for it. */
export interface Actor {
  readonly world: World;
  readonly recorder: Recorder;
  readonly holdings: Holdings;
  leases(holder: HolderName | 'admin', api: ApiName): HttpLeases;
}

export function createActor(world: World, recorder: Recorder, holdings: Holdings): Actor {
  const clients = new Map(
    [...HOLDERS, 'admin' as const].flatMap((holder) =>
      (['api-1', 'api-2'] as const).map((api) => [
        `${holder}/${api}`,
        connectHttpLeases({ url: world.urls[api], token: world.tokens[holder]! }),
      ]),
    ),
  );
  return { world, recorder, holdings, leases: (holder, api) => clients.get(`${holder}/${api}`)! };
}

/** As leases name their holder. */
export function fullHolder(holder: HolderName): string {
  return `token:${holder}`;
}

export function apiOf(pick: number): ApiName {
  return Math.floor(pick * 1_000) % 2 === 0 ? 'api-1' : 'api-2';
}

/** Longest wait for one question to Temporal, which may be away. */
const TEMPORAL_MS = 12_000;

export function askTemporal<T>({ client }: World, call: () => Promise<T>): Promise<T> {
  return client.withDeadline(Date.now() + TEMPORAL_MS, call);
}

/** As the index is asked for the leases that run. */
export const RUNNING = 'WorkflowType = "lease" AND ExecutionStatus = "Running"';

/** Ids of the leases that run, as the index knows them; none if it cannot be asked. @param clause what must hold beside that. */
export async function runningLeases(world: World, clause = ''): Promise<readonly string[]> {
  const query = `${RUNNING}${clause}`;
  const leaseIds: string[] = [];
  try {
    await askTemporal(world, async () => {
      for await (const { workflowId } of world.client.workflow.list({ query, pageSize: 500 }))
        leaseIds.push(workflowId);
    });
  } catch {
    // Temporal is away. What was read before that is as good.
  }
  return leaseIds.toSorted();
}

/** How long it is waited for something to do a thing with. */
const CHOOSE_MS = 5_000;
const LOOK_AGAIN_MS = 500;

/** The chosen one of what is suitable now or within seconds; undefined: there is none. */
export async function choose<T>(
  pick: number,
  suitable: () => readonly T[] | Promise<readonly T[]>,
  withinMs = CHOOSE_MS,
): Promise<T | undefined> {
  const end = Date.now() + withinMs;
  for (;;) {
    const found = await suitable();
    if (found.length > 0) return found[Math.floor(pick * found.length)];
    if (Date.now() + LOOK_AGAIN_MS > end) return undefined;
    await sleep(LOOK_AGAIN_MS);
  }
}

/** Of an error of a call: whether the deed is left open, else the code of the refusal. */
export function answerOf(error: unknown): string {
  if (error instanceof LeaseError) return UNKNOWN.has(error.code) ? 'unknown' : error.code;
  const status = grpcStatusOf(error);
  return status === 'notFound' ? 'LeaseNotFound' : status === 'invalidArgument' ? 'InvalidInput' : 'unknown';
}

const UNKNOWN: ReadonlySet<string> = new Set(['Unavailable', 'Timeout', 'Aborted', 'Throttled']);

/** Does one thing to one lease and writes down what came of it. */
export async function record(
  { recorder }: Actor,
  asked: Pick<ChangeSeen, 'what' | 'leaseIds'> & Partial<Pick<ChangeSeen, 'filter' | 'ttlMs'>>,
  deed: () => Promise<Partial<Pick<ChangeSeen, 'expiresAt' | 'state'>>>,
): Promise<ChangeSeen> {
  const askedAt = Date.now();
  const told = await deed().then(
    (came) => ({ answer: 'ok', ...came }),
    (error: unknown) => ({ answer: answerOf(error) }),
  );
  const seen: ChangeSeen = {
    filter: null,
    ttlMs: null,
    expiresAt: null,
    state: null,
    ...asked,
    ...told,
    askedAt,
    answeredAt: Date.now(),
  };
  recorder.change(seen);
  return seen;
}
