import type { Client } from '@temporalio/client';
import { readBlocks } from '../temporal/blocks';
import type { LeaseInput } from '../workflows/contract';
import { isMeant } from '../workflows/filter';
import { refuse } from './failures';
import { sharedAnswer } from './shared-answer';

/** Keeps out what an admin blocks. */
export interface Door {
  /** @throws ApplicationFailure `Blocked`; an error of the SDK if Temporal does not say what is blocked. */
  pass(input: LeaseInput, integration: string): Promise<void>;
}

/** Below what an attempt to plan may take. */
const LOOK_TIMEOUT_MS = 4_000;

/** Asks after each lease has come: a block that was answered holds for every lease that is planned after it. */
export function createDoor(client: Client): Door {
  const ask = sharedAnswer(() => client.withDeadline(Date.now() + LOOK_TIMEOUT_MS, () => readBlocks(client)));
  return {
    pass: async ({ holder, project, config, dynamicSecret }, integration) => {
      const blocks = await ask();
      const facts = { holder, project, config, dynamicSecret, integration };
      const found = blocks.find(({ filter }) => isMeant(filter, facts));
      if (found === undefined) return;
      // Why is for those who may see blocks.
      throw refuse(
        'Blocked',
        `An administrator blocks such leases for now (block ${found.id}). Ask to have it lifted.`,
      );
    },
  };
}
