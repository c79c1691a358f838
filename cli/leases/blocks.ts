import type { BlocksFlags } from '../commands/blocks';
import { EXIT } from '../exit';
import { outputTo } from '../output/output';
import { print, printJson } from '../output/print';
import { relative } from '../output/relative';
import { table } from '../output/table';
import { tell } from '../output/tell';
import { describeFilter } from './filter';
import { blockJson } from './json';
import { withLeases } from './with-leases';

/** See `blocksCommand`. */
export function listBlocks(flags: BlocksFlags): Promise<number> {
  return withLeases(flags, async (leases) => {
    const blocks = await leases.blocks();
    if (flags.json === true) {
      for (const block of blocks) await printJson(blockJson(block));
      return EXIT.done;
    }
    if (blocks.length === 0) {
      tell('Nothing is blocked.');
      return EXIT.done;
    }
    const rows = blocks.map(({ id, filter, by, reason, at }) => [id, describeFilter(filter), by, reason, relative(at)]);
    await print(
      table([{ title: 'BLOCK', whole: true }, 'OF', 'BY', 'REASON', 'SINCE'], rows, outputTo(process.stdout)),
    );
    return EXIT.done;
  });
}

/** See `blocksCommand`. */
export function liftBlock(id: string, flags: BlocksFlags): Promise<number> {
  return withLeases(flags, async (leases) => {
    const block = await leases.liftBlock(id);
    await (flags.json === true
      ? printJson(blockJson(block))
      : print(`Lifted: leases of ${describeFilter(block.filter)} can be issued again.\n`));
    return EXIT.done;
  });
}
