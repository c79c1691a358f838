import { Command } from 'commander';
import { checkCommand } from './commands/check';
import { credentialProcessCommand } from './commands/credential-process';
import { loginCommand } from './commands/login';
import { logoutCommand } from './commands/logout';
import { runCommand } from './commands/run';
import { sweepCommand } from './commands/sweep';
import { tokenCommand } from './commands/token';

/** All commands. What stands behind them is loaded only when one is run. */
export function createProgram(): Command {
  return new Command('leasehold')
    .description('Leases of one-off credentials that are removed when their time is over, whatever crashes.')
    .enablePositionalOptions()
    .addCommand(runCommand())
    .addCommand(checkCommand())
    .addCommand(credentialProcessCommand())
    .addCommand(loginCommand())
    .addCommand(logoutCommand())
    .addCommand(sweepCommand())
    .addCommand(tokenCommand());
}
