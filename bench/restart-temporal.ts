import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { SWEEP_WORKFLOW, sweepId, WORKFLOW_QUEUE } from '../workflows/contract';
import type { SweepInput, SweepReport } from '../workflows/contract';
import type { Deployment } from './deployment';

/** Size of one lease's history. */
export interface HistorySize {
  readonly events: number;
  /** How often its state was written, as Temporal counts state transitions. */
  readonly writes: number;
  readonly bytes: number;
}

const ENDED_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;
/** More than a sweep of the most leases takes. */
const SWEPT_WITHIN_MS = 30 * 60_000;

/** As Temporal itself counts them. @throws if one of the leases is not as it should be. */
export function historySizes(
  { temporal }: Pick<Deployment, 'temporal'>,
  leaseIds: readonly string[],
  are: 'sleeping' | 'ended',
): Promise<readonly HistorySize[]> {
  return withClient(temporal, async (client) => {
    const sizes: HistorySize[] = [];
    for (const id of leaseIds) sizes.push(await historySize(client, id, are));
    return sizes;
  });
}

/** A role is gone a moment before the history of its lease has ended. */
async function historySize(client: Client, leaseId: string, is: 'sleeping' | 'ended'): Promise<HistorySize> {
  const until = performance.now() + ENDED_WITHIN_MS;
  for (;;) {
    const { status, historyLength, historySize: bytes, raw } = await client.workflow.getHandle(leaseId).describe();
    const writes = raw.workflowExecutionInfo?.stateTransitionCount?.toNumber();
    if (bytes === undefined || writes === undefined) throw new Error('Temporal does not tell how large a history is.');
    const isRunning = status.name === 'RUNNING';
    if (isRunning === (is === 'sleeping')) return { events: historyLength, writes, bytes };
    if (!isRunning || performance.now() > until) {
      throw new Error(`Lease ${leaseId} should be ${is} and is ${status.name} in Temporal.`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** A sweep of each integration, as their schedules start them. Answers how long they took, in milliseconds. @throws if they did not see all of these leases live. */
export function sweepOnce(
  { temporal, integrations }: Pick<Deployment, 'temporal' | 'integrations'>,
  leases: number,
  signal: AbortSignal,
): Promise<number> {
  return withClient(temporal, async (client) => {
    const began = performance.now();
    let live = 0;
    for (const { integration } of integrations) live += (await sweep(client, integration, signal)).live;
    const tookMs = performance.now() - began;
    if (live === leases) return tookMs;
    throw new Error(`The sweep should have seen ${leases} live leases, and saw ${live}.`);
  });
}

async function sweep(client: Client, integration: string, signal: AbortSignal): Promise<SweepReport> {
  const input: SweepInput = { integration, dryRun: false, deployment: null };
  const execute = (): Promise<unknown> =>
    client.workflow.execute(SWEEP_WORKFLOW, {
      workflowId: `${sweepId(integration)}/bench/${randomUUID()}`,
      taskQueue: WORKFLOW_QUEUE,
      args: [input],
    });
  const within = (): Promise<unknown> => client.withDeadline(Date.now() + SWEPT_WITHIN_MS, execute);
  return (await client.withAbortSignal(signal, within)) as SweepReport;
}

async function withClient<T>(
  { address, namespace }: Deployment['temporal'],
  act: (client: Client) => Promise<T>,
): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await act(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}
