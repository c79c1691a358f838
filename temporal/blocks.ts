import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import {
  block,
  BLOCKS_MEMO,
  BLOCKS_WORKFLOW,
  lift,
  WORKFLOW_QUEUE,
  WORKFLOW_TASK_TIMEOUT_MS,
} from '../workflows/contract';
import type { Block, BlocksInput } from '../workflows/contract';

/** The blocks as the server knows them, whether their workflow runs or not. */
interface Held {
  readonly blocks: readonly Block[];
  /** Whether a workflow holds them that runs. */
  readonly isRunning: boolean;
}

/** The blocks in force at this moment. Asks the server, not the index, and needs no worker. */
export async function readBlocks(client: Client): Promise<readonly Block[]> {
  return (await look(client))?.blocks ?? [];
}

/** Answers the block that is in force for this filter: this one, or an earlier one. Needs a worker. */
export async function placeBlock(client: Client, wanted: Block): Promise<Block> {
  const held = await look(client);
  return client.workflow.executeUpdateWithStart(block, {
    args: [wanted],
    startWorkflowOperation: holding(held?.blocks ?? []),
  });
}

/** Answers whether there was such a block. Needs a worker. */
export async function liftBlock(client: Client, id: string): Promise<boolean> {
  const held = await look(client);
  if (held?.blocks.some((each) => each.id === id) !== true) return false;
  return client.workflow.executeUpdateWithStart(lift, {
    args: [{ id }],
    startWorkflowOperation: holding(held.blocks),
  });
}

/** Begins the workflow again that holds the blocks, if it was ended by hand: else they are forgotten with its retention. */
export async function resumeBlocks(client: Client): Promise<void> {
  const held = await look(client);
  if (held === null || held.isRunning || held.blocks.length === 0) return;
  await client.workflow.start(BLOCKS_WORKFLOW, { ...startOf(held.blocks), workflowIdConflictPolicy: 'USE_EXISTING' });
}

async function look(client: Client): Promise<Held | null> {
  try {
    const { type, memo, closeTime } = await client.workflow.getHandle(BLOCKS_WORKFLOW).describe();
    const blocks: unknown = type === BLOCKS_WORKFLOW ? memo?.[BLOCKS_MEMO] : undefined;
    return { blocks: Array.isArray(blocks) ? (blocks as Block[]) : [], isRunning: closeTime === undefined };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

function holding(blocks: readonly Block[]) {
  return new WithStartWorkflowOperation(BLOCKS_WORKFLOW, {
    ...startOf(blocks),
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
}

/** With what the run before it held, if that was ended by hand. */
function startOf(blocks: readonly Block[]) {
  return {
    workflowId: BLOCKS_WORKFLOW,
    taskQueue: WORKFLOW_QUEUE,
    args: [{ blocks }] satisfies [BlocksInput],
    memo: { [BLOCKS_MEMO]: blocks },
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
    staticSummary: 'what keeps leases from being issued',
  };
}
