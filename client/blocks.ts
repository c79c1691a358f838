import { liftBlock as lift, readBlocks as read } from '../temporal/blocks';
import { CALL_TIMEOUT_MS } from '../temporal/service';
import type { Block } from '../workflows/contract';
import { toLeaseError } from './failures';
import { LeaseError } from './leases';
import type { Session } from './session';
import { boundsOf, isTooLate, within } from './waiting';

/** What keeps leases from being issued, oldest first. Needs no worker. */
export async function listBlocks({ client }: Pick<Session, 'client'>): Promise<readonly Block[]> {
  try {
    return await within({ client }, boundsOf(CALL_TIMEOUT_MS), () => read(client));
  } catch (error) {
    throw toLeaseError(error);
  }
}

/** Lets leases in again. Answers whether there was such a block. */
export async function liftBlock({ client }: Pick<Session, 'client'>, id: string): Promise<boolean> {
  try {
    return await within({ client }, boundsOf(CALL_TIMEOUT_MS), () => lift(client, id));
  } catch (error) {
    if (!isTooLate(error)) throw toLeaseError(error);
    throw new LeaseError(
      'Timeout',
      `No worker answered in time to lift block ${id}, which may still happen: look at the blocks again.`,
    );
  }
}
