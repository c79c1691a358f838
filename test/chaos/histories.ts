import type { WorkflowExecutionInfo } from '@temporalio/client';
import { LEASE_WORKFLOW } from '../../workflows/contract';
import { historyText } from '../support/canaries';
import { readLeaseHistory } from './lease-history';
import type { Needles } from './needles';
import type { LeaseRun } from './trace';
import type { World } from './world-types';

/** Histories asked for at once. */
const AT_ONCE = 16;

export interface HistoriesRead {
  readonly runs: readonly LeaseRun[];
  readonly leaks: readonly string[];
  readonly bytes: number;
  readonly histories: number;
  /** Those of leases, by run id. */
  readonly lengths: ReadonlyMap<string, number>;
}

type Asked = Pick<World, 'client'>;

/** Reads and searches the history of every workflow that the namespace knows, whatever its type and however it ended. */
export async function readHistories(world: Asked, needles: Needles): Promise<HistoriesRead> {
  const runs: LeaseRun[] = [];
  const leaks: string[] = [];
  const lengths = new Map<string, number>();
  let bytes = 0;
  let histories = 0;

  const executions = await listAll(world);
  const readOne = async (info: WorkflowExecutionInfo): Promise<void> => {
    const { workflowId, runId } = info;
    const { events } = await world.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const text = Buffer.from(historyText(events), 'latin1');
    histories += 1;
    bytes += text.length;
    for (const name of needles.find(text)) leaks.push(`${name} stands in the history of ${info.type} ${workflowId}`);
    if (info.type !== LEASE_WORKFLOW) return;
    lengths.set(runId, events?.length ?? 0);
    runs.push({
      leaseId: workflowId,
      runId,
      status: info.status.name,
      startedAt: info.startTime.getTime(),
      closedAt: info.closeTime?.getTime() ?? null,
      replay: 'not tried',
      ...readLeaseHistory(events ?? []),
    });
  };
  const waiting = executions.values();
  const work = async (): Promise<void> => {
    for (const info of waiting) await readOne(info);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { runs, leaks, bytes, histories, lengths };
}

async function listAll({ client }: Asked): Promise<WorkflowExecutionInfo[]> {
  const executions: WorkflowExecutionInfo[] = [];
  for await (const info of client.workflow.list({ pageSize: 1_000 })) executions.push(info);
  return executions;
}
