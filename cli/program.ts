import { Command } from 'commander';
import { checkCommand } from './commands/check';
import { completionCommand } from './commands/completion';
import { credentialProcessCommand } from './commands/credential-process';
import { helpCommand } from './commands/help';
import { runCommand } from './commands/run';
import { sweepCommand } from './commands/sweep';
import { tokenCommand } from './commands/token';
import { withExamples } from './examples';
import { packageVersion } from './version';

/** All commands. What stands behind them is loaded only when one is run. */
export function createProgram(): Command {
  const program = new Command('leasehold')
    .description('Leases of one-off credentials that are removed when their time is over, whatever crashes.')
    .version(packageVersion(), '-V, --version', 'prints the version')
    .enablePositionalOptions()
    .commandsGroup('Running programs:')
    .addCommand(runCommand())
    .addCommand(credentialProcessCommand())
    .commandsGroup('Access:')
    .addCommand(tokenCommand())
    .commandsGroup('Operating:')
    .addCommand(checkCommand())
    .addCommand(sweepCommand())
    .commandsGroup('This command line:')
    .addCommand(completionCommand())
    .addCommand(helpCommand());
  settle(program, 'leasehold');
  withExamples(program, [
    ['leasehold login --host https://leasehold.internal:8443', 'sign in, once'],
    [
      'leasehold run --project backend --config prd -- aws s3 ls',
      'run a program on a leased AWS key that ends with it',
    ],
    ['leasehold help run', 'read more, with examples'],
  ]);
  return program.addHelpText(
    'after',
    '\nSettings, exit codes, containers, CI: docs/cli.md in the folder of the package.',
  );
}

/** What all commands have in common. */
function settle(command: Command, path: string): void {
  command
    .helpOption('-h, --help', 'shows this help')
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (each) => each.name() })
    .configureOutput({
      outputError: (text, write) => {
        write(text.includes('(Did you mean') ? text : `${text}See: ${path} --help\n`);
      },
    });
  for (const each of command.commands) settle(each, `${path} ${each.name()}`);
}
