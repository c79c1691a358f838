import { setTimeout as sleep } from 'node:timers/promises';
import { defaultPayloadConverter } from '@temporalio/common';
import { CALL_TIMEOUT_MS, grpcStatusOf } from '../../temporal/service';
import { concernsItAlone, tellToEnd } from '../../temporal/tell-to-end';
import { revoke } from '../../workflows/contract';
import type { RevokeInput } from '../../workflows/contract';
import type { BulkDeps } from './bulk';

/** One run of a lease. */
export interface Told {
  readonly workflowId: string;
  readonly runId: string;
}

export interface Telling {
  readonly jobId: string;
  readonly leases: readonly Told[];
  readonly by: string;
  readonly reason: string;
  readonly signal: AbortSignal;
  /** Told so far. */
  readonly onProgress: (count: number) => void;
}

/** By default a namespace has one batch operation at a time; who ends leases in a hurry does not wait for another's. */
const START_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 500;
/** A batch that gets no further, e.g. because nothing on the server works on it, is not waited for. */
const STALLED_AFTER_MS = 30_000;
const AT_ONCE = 10;
/** Temporal's BATCH_OPERATION_STATE_RUNNING and _COMPLETED. */
const RUNNING = 1;
const COMPLETED = 2;

/** Tells leases to end, by one batch operation of the server; where it has none to spare, or could not tell all of them, one by one. */
export async function tellAll(deps: BulkDeps, telling: Telling): Promise<void> {
  const isDone = (await isBegun(deps, telling)) && (await waitForBatch(deps, telling));
  if (!isDone) await tellEach(deps, telling);
}

/** Whether the batch of this id runs or has run. */
async function isBegun(deps: BulkDeps, { jobId, leases, by, reason }: Telling): Promise<boolean> {
  if ((await lookAt(deps, jobId)) !== null) return true;
  const { client, namespace } = deps;
  const start = client
    .withDeadline(Date.now() + START_WITHIN_MS, () =>
      client.workflowService.startBatchOperation({
        namespace,
        jobId,
        reason: 'bulk revoke',
        executions: [...leases],
        signalOperation: {
          signal: revoke.name,
          input: { payloads: [defaultPayloadConverter.toPayload({ by, reason } satisfies RevokeInput)] },
          identity: by,
        },
      }),
    )
    .then(
      () => true,
      (error: unknown) => grpcStatusOf(error) === 'alreadyExists',
    );
  // The connection tries again beyond the deadline while another batch runs. Should it begin after all, leases are told twice.
  return Promise.race([start, sleep(START_WITHIN_MS, false)]);
}

/** Whether every lease was told. */
async function waitForBatch(deps: BulkDeps, { jobId, signal, onProgress }: Telling): Promise<boolean> {
  let seen = -1;
  let movedAt = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const batch = await lookAt(deps, jobId);
    if (batch === null) return false;
    onProgress(batch.told);
    if (batch.state !== RUNNING) return batch.state === COMPLETED && batch.failed === 0;
    if (batch.told + batch.failed > seen) {
      seen = batch.told + batch.failed;
      movedAt = performance.now();
    }
    if (performance.now() - movedAt > STALLED_AFTER_MS) return false;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

interface Batch {
  readonly state: number;
  readonly told: number;
  readonly failed: number;
}

/** Null: there is none, or the server tells of none. */
async function lookAt({ client, namespace }: BulkDeps, jobId: string): Promise<Batch | null> {
  try {
    const batch = await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      client.workflowService.describeBatchOperation({ namespace, jobId }),
    );
    return {
      state: batch.state,
      told: Number(batch.completeOperationCount),
      failed: Number(batch.failureOperationCount),
    };
  } catch (error) {
    const status = grpcStatusOf(error);
    if (status === 'notFound' || status === 'unimplemented' || status === 'permissionDenied') return null;
    throw error;
  }
}

/** Telling one twice does no harm. */
async function tellEach({ client }: BulkDeps, { leases, by, reason, signal, onProgress }: Telling): Promise<void> {
  let told = 0;
  for (let begin = 0; begin < leases.length; begin += AT_ONCE) {
    signal.throwIfAborted();
    const few = leases.slice(begin, begin + AT_ONCE);
    await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      Promise.all(
        few.map(async ({ workflowId, runId }) => {
          try {
            await tellToEnd(client.workflow.getHandle(workflowId, runId), { by, reason });
            told += 1;
          } catch (error) {
            // If it is left, the next listing tells.
            if (!concernsItAlone(error)) throw error;
          }
        }),
      ),
    );
    onProgress(told);
  }
}
