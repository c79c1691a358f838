import { boundsOf, Interrupted } from '../bounds';
import type { ManyFilter } from '../bulk-input';
import { LeaseError } from '../leases';
import { blockBody, blockListBody } from '../wire';
import type { BlockBody } from '../wire';
import { CALL_TIMEOUT_MS, toLeaseError } from './calls';
import { filterFromWire } from './filter';
import { ask, Lost } from './remote';
import type { Remote } from './remote';

/** Keeps leases from being issued until it is lifted. */
export interface Block {
  readonly id: string;
  readonly filter: Omit<ManyFilter, 'entity'>;
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
}

/** See `HttpLeases.blocks`. */
export async function blocksOverHttp(remote: Remote): Promise<readonly Block[]> {
  try {
    const what = { method: 'GET', path: '/v1/blocks', harmless: true } as const;
    const { blocks } = await ask(remote, boundsOf(CALL_TIMEOUT_MS), what, blockListBody);
    return blocks.map(toBlock);
  } catch (error) {
    throw toLeaseError(error);
  }
}

/** See `HttpLeases.liftBlock`. */
export async function liftBlockOverHttp(remote: Remote, id: string): Promise<Block> {
  const path = `/v1/blocks/${encodeURIComponent(id)}`;
  try {
    const what = { method: 'DELETE', path, harmless: false } as const;
    return toBlock(await ask(remote, boundsOf(CALL_TIMEOUT_MS), what, blockBody));
  } catch (error) {
    const { code, message } = toLeaseError(error);
    const mayBeLifted = error instanceof Interrupted || (error instanceof Lost && error.reached);
    throw mayBeLifted
      ? new LeaseError(code, `${message} The block may have been lifted: look at the blocks.`)
      : toLeaseError(error);
  }
}

function toBlock({ filter, at, ...rest }: BlockBody): Block {
  return { ...rest, filter: filterFromWire(filter), at: new Date(at) };
}
