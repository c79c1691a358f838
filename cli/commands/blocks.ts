import { Command } from 'commander';
import { accessOptions } from '../access-options';
import type { AccessFlags } from '../access-options';
import { act } from '../action';
import { withExamples } from '../examples';
import { readText } from '../filter-options';

export interface BlocksFlags extends AccessFlags {
  readonly json?: boolean;
}

/** `leasehold blocks`: what keeps leases from being issued, for admins. */
export function blocksCommand(): Command {
  const command = new Command('blocks')
    .description('Shows and lifts what keeps leases from being issued: a revoke of many leases leaves a block.')
    .addCommand(listCommand())
    .addCommand(liftCommand());
  return withExamples(command, [['leasehold blocks list', 'what is blocked, by whom and why']]);
}

function listCommand(): Command {
  const command = new Command('list')
    .description('Lists the blocks in force.')
    .option('--json', 'print one line of JSON for each')
    .action(act(async (flags: BlocksFlags) => (await import('../leases/blocks.js')).listBlocks(flags)));
  return withExamples(accessOptions(command), [['leasehold blocks list', 'what is blocked, by whom and why']]);
}

function liftCommand(): Command {
  const command = new Command('lift')
    .description('Lifts a block: what it kept out can be leased again from then on.')
    .argument('<id>', 'of the block', readText)
    .option('--json', 'print one line of JSON')
    .action(act(async (id: string, flags: BlocksFlags) => (await import('../leases/blocks.js')).liftBlock(id, flags)));
  return withExamples(accessOptions(command), [
    ['leasehold blocks lift abcdefghijklmnopqrstuvwx', 'let leases in again'],
  ]);
}
