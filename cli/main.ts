#!/usr/bin/env node
import { Command } from 'commander';
import { checkCommand } from './check';
import { credentialProcessCommand } from './credential-process';
import { EXIT } from './exit';
import { sweepCommand } from './sweep';
import { tokenCommand } from './token';

const program = new Command('leasehold')
  .description('Leases of one-off credentials that are removed when their time is over, whatever crashes.')
  .addCommand(checkCommand())
  .addCommand(credentialProcessCommand())
  .addCommand(sweepCommand())
  .addCommand(tokenCommand())
  .addHelpText(
    'after',
    '\nThe connection to Temporal is set by TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the other TEMPORAL_* variables.',
  );

setExitCodes(program);

// Whoever read it has gone, as `head` does: not all was told, and there is nobody to tell.
process.stdout.on('error', () => {
  process.exit(EXIT.problems);
});

void program.parseAsync();

function setExitCodes(command: Command): void {
  command.exitOverride((error) => {
    process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage);
  });
  command.commands.forEach(setExitCodes);
}
