import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { CALL_TIMEOUT_MS, explainFailure, grpcStatusOf } from '../../temporal/service';
import { SWEEP_WORKFLOW, sweepId, WORKFLOW_QUEUE, WORKFLOW_TASK_TIMEOUT_MS } from '../../workflows/contract';
import type { SweepInput, SweepReport } from '../../workflows/contract';
import { formatTtl } from '../../workflows/ttl';
import { FailedError, UnavailableError } from '../exit';

export interface SweepRun {
  /** Aborts when the sweep is to be called off. */
  readonly signal: AbortSignal;
  /** Tells a person how it goes. */
  readonly tell: (sentence: string) => void;
}

/** A sweep of a large account takes minutes; one that does not end by then is not waited for. */
const TIMEOUT_MS = 15 * 60_000;
/** A worker that is there takes up a sweep at once. One that was killed may have a task for some seconds yet. */
const TAKEN_UP_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 1_000;
/** Temporal's PENDING_ACTIVITY_STATE_STARTED. */
const STARTED = 2;

/**
 * Has a worker sweep one integration and waits for its report. A sweep that nobody takes up, or that is not wanted any more, is
 * ended, so that it does not surprise anybody later.
 * @throws UnavailableError if Temporal or the workers do not do their part; FailedError if the sweep itself was stopped.
 */
export async function runSweep(client: Client, input: SweepInput, run: SweepRun): Promise<SweepReport> {
  const handle = await start(client, input);
  const watching = new AbortController();
  try {
    return await Promise.race([
      handle.result() as Promise<SweepReport>,
      watch(client, handle, input, run, watching.signal),
    ]);
  } catch (error) {
    // Only the watch says so in our words, and only of a sweep that nobody waits for any more.
    if (error instanceof UnavailableError) await callOff(client, handle);
    throw explain(error, input.integration);
  } finally {
    watching.abort();
  }
}

async function start(client: Client, input: SweepInput): Promise<WorkflowHandle> {
  try {
    return await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      client.workflow.start(SWEEP_WORKFLOW, {
        workflowId: `${sweepId(input.integration)}/by-hand/${randomUUID()}`,
        taskQueue: WORKFLOW_QUEUE,
        args: [input],
        staticSummary: `asked for by hand${input.dryRun ? ' (dry run)' : ''}`,
        workflowExecutionTimeout: TIMEOUT_MS,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
      }),
    );
  } catch (error) {
    throw new UnavailableError(`The sweep of ${input.integration} could not be begun. ${explainFailure(error)}`);
  }
}

/** Ends with an error alone: when the sweep was called off, or when nobody takes it up. Else until the result is there. */
async function watch(
  client: Client,
  handle: WorkflowHandle,
  { integration }: SweepInput,
  { signal, tell }: SweepRun,
  over: AbortSignal,
): Promise<never> {
  const begun = performance.now();
  const either = AbortSignal.any([signal, over]);
  let isTakenUp = false;
  let told: string | undefined;
  for (;;) {
    await sleep(LOOK_EVERY_MS, undefined, { signal: either }).catch(() => undefined);
    if (over.aborted) return new Promise<never>(() => undefined);
    if (signal.aborted) {
      throw new UnavailableError(`The sweep of ${integration} was called off. What it had removed stays removed.`);
    }
    const seen = await look(client, handle);
    isTakenUp ||= seen === 'unknown' ? false : seen.isTakenUp;
    if (seen === 'unknown') continue;
    if (seen.failure !== null && seen.failure !== told) {
      told = seen.failure;
      tell(`The sweep of ${integration} is tried again: ${told}`);
    }
    if (isTakenUp || performance.now() - begun < TAKEN_UP_WITHIN_MS) continue;
    const work = seen.waitsFor === 'workflows' ? 'the workflows' : integration;
    throw new UnavailableError(
      `No worker took up the sweep of ${integration} within ${formatTtl(TAKEN_UP_WITHIN_MS)}, and it was called off: ` +
        `is one running that serves ${work} in this namespace, and not busy? See its log.`,
    );
  }
}

interface Seen {
  readonly isTakenUp: boolean;
  readonly waitsFor: 'workflows' | 'integration';
  /** Of the last attempt. */
  readonly failure: string | null;
}

async function look(client: Client, handle: WorkflowHandle): Promise<Seen | 'unknown'> {
  try {
    const { raw, closeTime } = await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () => handle.describe());
    const activity = raw.pendingActivities?.[0];
    const isTried = activity != null && ((activity.state as number) === STARTED || (activity.attempt ?? 1) > 1);
    return {
      isTakenUp: closeTime !== undefined || isTried,
      waitsFor: activity == null ? 'workflows' : 'integration',
      failure: activity?.lastFailure?.message ?? null,
    };
  } catch {
    // Whoever waits for the result hears of it.
    return 'unknown';
  }
}

/** By termination, which needs no worker. The attempt of one that has it stops before its next removal. */
async function callOff(client: Client, handle: WorkflowHandle): Promise<void> {
  await client
    .withDeadline(Date.now() + CALL_TIMEOUT_MS, () => handle.terminate('called off by whoever asked for it'))
    .catch(() => undefined);
}

function explain(error: unknown, integration: string): Error {
  if (error instanceof UnavailableError) return error;
  const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
  const failure = cause instanceof ActivityFailure ? cause.cause : cause;
  const subject = `The sweep of ${integration}`;
  if (failure instanceof ApplicationFailure) return new FailedError(`${subject} was stopped. ${failure.message}`);
  if (failure instanceof TerminatedFailure) return new UnavailableError(`${subject} was terminated in Temporal.`);
  if (failure instanceof TimeoutFailure) {
    return new UnavailableError(`${subject} did not end within ${formatTtl(TIMEOUT_MS)} and was given up.`);
  }
  if (error instanceof WorkflowFailedError) return new UnavailableError(`${subject} was cancelled in Temporal.`);
  if (grpcStatusOf(error) === null) return error instanceof Error ? error : new Error('unknown');
  return new UnavailableError(`${subject} was begun; how it ended is not known. ${explainFailure(error)}`);
}
