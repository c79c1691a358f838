import { Command } from 'commander';
import { blocksCommand } from './commands/blocks';
import { checkCommand } from './commands/check';
import { credentialProcessCommand } from './commands/credential-process';
import { leaseCommand } from './commands/lease';
import { leasesCommand } from './commands/leases';
import { runCommand } from './commands/run';
import { sweepCommand } from './commands/sweep';
import { tokenCommand } from './commands/token';
import { whoamiCommand } from './commands/whoami';

/** All commands. What stands behind them is loaded only when one is run. */
export function createProgram(): Command {
  return new Command('leasehold')
    .description('Leases of one-off credentials that are removed when their time is over, whatever crashes.')
    .enablePositionalOptions()
    .addCommand(runCommand())
    .addCommand(leaseCommand())
    .addCommand(leasesCommand())
    .addCommand(blocksCommand())
    .addCommand(whoamiCommand())
    .addCommand(checkCommand())
    .addCommand(credentialProcessCommand())
    .addCommand(sweepCommand())
    .addCommand(tokenCommand());
}
