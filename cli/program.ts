import { Command } from 'commander';
import { checkCommand } from './commands/check';
import { completionCommand } from './commands/completion';
import { credentialProcessCommand } from './commands/credential-process';
import { helpCommand } from './commands/help';
import { runCommand } from './commands/run';
import { sweepCommand } from './commands/sweep';
import { tokenCommand } from './commands/token';
import { leaseCommand } from './commands/lease';
import { leasesCommand } from './commands/leases';
import { blocksCommand } from './commands/blocks';
import { whoamiCommand } from './commands/whoami';
import { secretsCommand } from './commands/secrets';
import { loginCommand } from './commands/login';
import { logoutCommand } from './commands/logout';
import { apiCommand } from './commands/api';
import { startCommand } from './commands/start';
import { workerCommand } from './commands/worker';
import { withExamples } from './examples';
import { manifest } from '../packaging/package';

/** All commands. What stands behind them is loaded only when one is run. */
export function createProgram(): Command {
  const program = new Command('leasehold')
    .description('Leases of one-off credentials that are removed when their time is over, whatever crashes.')
    .version(manifest().version, '-V, --version', 'prints the version')
    .enablePositionalOptions()
    .commandsGroup('Running programs:')
    .addCommand(runCommand())
    .addCommand(credentialProcessCommand())
    .commandsGroup('Leases:')
    .addCommand(leaseCommand())
    .addCommand(leasesCommand())
    .commandsGroup('Secrets:')
    .addCommand(secretsCommand())
    .commandsGroup('Access:')
    .addCommand(loginCommand())
    .addCommand(logoutCommand())
    .addCommand(whoamiCommand())
    .addCommand(tokenCommand())
    .commandsGroup('Operating:')
    .addCommand(blocksCommand())
    .addCommand(startCommand())
    .addCommand(workerCommand())
    .addCommand(apiCommand())
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
        // As all that is not the program's.
        const named = path === 'leasehold run' ? text.replace(/^error: /, 'leasehold: ') : text;
        write(named.includes('(Did you mean') ? named : `${named}See: ${path} --help\n`);
      },
    });
  for (const each of command.commands) settle(each, `${path} ${each.name()}`);
}
