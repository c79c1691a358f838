import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { readBlocks } from '../../temporal/blocks';
import { ANSWER_BYTES } from './shape';
import type { FarActivities, NearActivities, Shape } from './shape';

const ANSWER = 'x'.repeat(ANSWER_BYTES);

/** They do nothing, as far as the shape allows. */
export function createFar(): FarActivities {
  return {
    make: async ({ shape }) => {
      await confirm(shape);
      return ANSWER;
    },
    remove: ({ shape }) => confirm(shape),
  };
}

export function createNear(client: Client): NearActivities {
  return {
    plan: async ({ leaseId, shape }) => {
      if (shape.asks === true) await readBlocks(client);
      const entity = `bench-floor-abcdefgh-${leaseId}`;
      return {
        integration: 'postgresql',
        entity,
        handle: { role: entity, owned: 'drop', owner: null, host: '127.0.0.1', port: 5432, ttlMs: 1_800_000 },
      };
    },
    record: () => Promise.resolve(),
    make: () => Promise.resolve(ANSWER),
    remove: () => Promise.resolve(),
  };
}

/** As the fence asks before each change. */
async function confirm({ asks }: Shape): Promise<void> {
  if (asks !== true) return;
  const { client, info } = Context.current();
  await client.workflowService.recordActivityTaskHeartbeat({ namespace: info.namespace, taskToken: info.taskToken });
}
