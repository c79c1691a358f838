import { ApplicationFailure } from '@temporalio/common';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { placeBlock } from '../../temporal/blocks';
import { CALL_TIMEOUT_MS } from '../../temporal/service';
import type { Block, KeepingActivities } from '../../workflows/contract';
import { plainly, refuse } from '../failures';
import { revokeMatching } from './revoke-matching';

export interface BulkDeps {
  readonly client: Client;
  readonly namespace: string;
}

export type BulkActivities = Pick<KeepingActivities, 'placeBlock' | 'revokeMatching'>;

/** What bulk revokes do. Served by the workflow queue: they ask Temporal alone. */
export function createBulk(deps: BulkDeps): BulkActivities {
  return {
    placeBlock: (block) => place(deps.client, block),
    revokeMatching: (input) => revokeMatching(deps, input),
  };
}

async function place(client: Client, block: Block): Promise<Block> {
  const placed = await plainly(() =>
    client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      placeBlock(client, block).catch((error: unknown) => {
        const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
        if (cause instanceof ApplicationFailure && cause.type === 'QuotaExceeded') return cause;
        throw error;
      }),
    ),
  );
  if (placed instanceof ApplicationFailure) throw refuse('QuotaExceeded', placed.message);
  return placed;
}
