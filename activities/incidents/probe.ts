import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import type { Config } from '../../config/load';
import { concernsItAlone } from '../../temporal/tell-to-end';
import { nudge } from '../../workflows/contract';
import type { IntegrationInput, ProbeInput, ProbeResult } from '../../workflows/contract';
import type { Connections } from '../connections';
import { toFailure } from '../failures';
import { alsoRequire, guardAttempt, stopOf } from '../fence';
import type { Attempt } from '../integrations/integration';
import { readFacts } from '../told-facts';
import { findRemoval, listRemoving, readRemovalInput } from './removals';
import type { PendingRemoval } from './removals';

export interface ProbeDeps {
  readonly config: Config;
  readonly client: Client;
  readonly connections: Connections;
  readonly deployment: string;
}

/** Between two probes of one integration, with jitter. */
const PROBE_EVERY_MS = 10_000;
/** Removals among which one that fails is looked for, and how many of them are asked about. */
const LISTED = 2_000;
const LOOKED_AT = 50;
/** Provider calls that one removal takes, about: nudges are paced by it. */
const CALLS_PER_REMOVAL = 8;
const MIN_NUDGES_PER_SECOND = 0.05;

/**
 * Tries one removal that fails, by its own handle. The lease's workflow takes no part in it: its history does not grow however
 * long the provider is away, and it finds the entity gone when it is nudged.
 */
export async function probe(deps: ProbeDeps, { integration, mayWait }: ProbeInput): Promise<ProbeResult> {
  const context = Context.current();
  const guard = guardAttempt(context, { deployment: deps.deployment, leaseId: '' });
  try {
    const { candidate, left, isAnyStuck } = await findCandidate(deps.client, integration);
    if (candidate === null) {
      if (left === 0) return { outcome: 'quiet' };
      if (mayWait === true && !isAnyStuck) return { outcome: 'waiting' };
      throw again(`${left} removals of ${integration} are under way and none of them is failing.`);
    }
    await remove(deps, integration, candidate, guard.attempt);
    return { outcome: 'removed' };
  } catch (error) {
    throw patient(stopOf(error, guard.attempt) ?? error, context.info.attempt);
  } finally {
    guard.close();
  }
}

async function remove(
  { client, connections }: ProbeDeps,
  integration: string,
  candidate: PendingRemoval,
  attempt: Attempt,
): Promise<void> {
  const { leaseId, runId } = candidate;
  const input = await readRemovalInput(client, candidate);
  if (input === null) throw again(`Lease ${leaseId} has just ended.`);
  // Who writes a history by hand must not have the entity of another lease removed.
  if (input.leaseId !== leaseId || input.integration !== integration) {
    throw again(`What the history of lease ${leaseId} says of its removal is of another lease or integration.`);
  }
  // Its id may be issued again once it has ended, and then names an entity that lives.
  const guarded = alsoRequire({ ...attempt, leaseId }, async () => {
    const now = await findRemoval(client, leaseId);
    if (now?.runId !== runId) throw again(`Lease ${leaseId} has ended by itself meanwhile.`);
  });
  await connections.open(integration).deprovision(input.handle, guarded, readFacts(input.facts));
}

interface Found {
  /** A removal that fails; null: none of those that were asked about. */
  readonly candidate: PendingRemoval | null;
  readonly left: number;
  readonly isAnyStuck: boolean;
}

/** At random, so that one entity that can never be removed does not hide a provider that is back. */
async function findCandidate(client: Client, integration: string): Promise<Found> {
  const ids: string[] = [];
  let isAnyStuck = false;
  for await (const { leaseId, state } of listRemoving(client, integration)) {
    ids.push(leaseId);
    isAnyStuck ||= state === 'stuck';
    if (ids.length === LISTED) break;
  }
  let left = 0;
  for (const leaseId of shuffle(ids).slice(0, LOOKED_AT)) {
    const removal = await findRemoval(client, leaseId);
    if (removal === null) continue;
    if (removal.failing) return { candidate: removal, left: ids.length, isAnyStuck };
    left += 1;
  }
  return { candidate: null, left, isAnyStuck };
}

/**
 * Nudges every lease of the integration whose removal waits out a back-off, at the pace at which the provider may be asked.
 * Answers how many.
 */
export async function nudgeWaiting(deps: ProbeDeps, { integration }: IntegrationInput): Promise<number> {
  const { config, client, deployment } = deps;
  const guard = guardAttempt(Context.current(), { deployment, leaseId: '' });
  const { signal } = guard.attempt.fence;
  const callsPerSecond = config.integrations[integration]?.limits.callsPerSecond ?? 0;
  const spacingMs = 1_000 / Math.max(callsPerSecond / CALLS_PER_REMOVAL, MIN_NUDGES_PER_SECOND);
  let nudged = 0;
  let next = performance.now();
  try {
    for await (const { leaseId } of listRemoving(client, integration)) {
      signal.throwIfAborted();
      const removal = await findRemoval(client, leaseId);
      if (removal?.failing !== true || !removal.waiting) continue;
      await sendNudge(client, removal);
      nudged += 1;
      next = Math.max(next + spacingMs, performance.now());
      await sleep(next - performance.now(), undefined, { signal });
    }
    return nudged;
  } catch (error) {
    throw patient(stopOf(error, guard.attempt) ?? error, 1);
  } finally {
    guard.close();
  }
}

async function sendNudge(client: Client, { leaseId, runId }: PendingRemoval): Promise<void> {
  try {
    await client.workflow.getHandle(leaseId, runId).signal(nudge);
  } catch (error) {
    // Where nothing is left to nudge, or nothing may be any more, the back-off goes on.
    if (!concernsItAlone(error)) throw error;
  }
}

/** In our words, and to be tried again soon: a probe has no back-off. */
function patient(error: unknown, attempt: number): ApplicationFailure {
  const nextRetryDelay = Math.round(PROBE_EVERY_MS * (0.8 + Math.random() * 0.4));
  const { type, message } = toFailure(error, { verb: 'probe', attempt, first: false, mutations: 0 });
  return ApplicationFailure.create({ type: type ?? 'Unavailable', message, nextRetryDelay });
}

function again(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: 'Unavailable', message, category: 'BENIGN' });
}

function shuffle<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
