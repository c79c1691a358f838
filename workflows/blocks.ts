import {
  allHandlersFinished,
  CancellationScope,
  condition,
  makeContinueAsNewFunc,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import { block, BLOCKS_MEMO, lift, MAX_BLOCKS } from './contract';
import type { Block, BlocksInput } from './contract';
import { blocksDetails } from './bulk-details';
import { sameFilter } from './filter';
import { refusal } from './refusal';

/** So much, and a run hands over to a fresh one. */
const MAX_EVENTS = 1_000;

/** Holds the blocks. It never ends by itself, and a cancel does not end it; if it is terminated its memo still says what is blocked. */
export async function blocks(input: BlocksInput): Promise<never> {
  let held = input.blocks;

  const hold = (changed: readonly Block[]): void => {
    held = changed;
    upsertMemo({ [BLOCKS_MEMO]: held });
    setCurrentDetails(blocksDetails(held));
  };
  const isHeld = (wanted: string): boolean => held.some(({ id }) => id === wanted);
  const findSame = (wanted: Block): Block | undefined =>
    held.find(({ id, filter }) => id === wanted.id || sameFilter(filter, wanted.filter));

  setHandler(
    block,
    (wanted) => {
      const known = findSame(wanted);
      if (known !== undefined) return known;
      hold([...held, wanted]);
      return wanted;
    },
    {
      validator: (wanted: Block | null | undefined) => {
        if (!isBlock(wanted)) throw refusal('InvalidInput', 'block needs a whole block, as a bulk revoke sends it.');
        if (held.length < MAX_BLOCKS || findSame(wanted) !== undefined) return;
        throw refusal('QuotaExceeded', `There are ${MAX_BLOCKS} blocks, and no more are kept. Lift one.`);
      },
      description: 'Keeps leases from being issued. Used by bulk revokes, not by hand.',
    },
  );
  setHandler(
    lift,
    (wanted) => {
      if (!isHeld(wanted.id)) return false;
      hold(held.filter(({ id }) => id !== wanted.id));
      return true;
    },
    {
      // Sent by hand, too, with nothing or anything.
      validator: (wanted: { readonly id?: unknown } | null | undefined) => {
        if (typeof wanted?.id !== 'string')
          throw refusal('InvalidInput', 'lift needs {"id": "..."}, the id of a block.');
      },
      description: 'Lifts the block {"id": "..."}.',
    },
  );

  hold(held);
  const isLong = (): boolean => workflowInfo().historyLength >= MAX_EVENTS || workflowInfo().continueAsNewSuggested;
  await CancellationScope.nonCancellable(() => condition(() => isLong() && allHandlersFinished()));
  const handOver = makeContinueAsNewFunc<typeof blocks>({ memo: { [BLOCKS_MEMO]: held } });
  return handOver({ blocks: held });
}

function isBlock(wanted: Partial<Record<keyof Block, unknown>> | null | undefined): wanted is Block {
  const texts = [wanted?.id, wanted?.by, wanted?.reason, wanted?.at];
  return (
    texts.every((text) => typeof text === 'string') && typeof wanted?.filter === 'object' && wanted.filter !== null
  );
}
