import { Argument, Command } from 'commander';
import { act } from '../action';
import { withExamples, withNotes } from '../examples';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/** `leasehold completion`: a script by which a shell completes the commands, options and values of this command line. */
export function completionCommand(): Command {
  const command = new Command('completion')
    .description('Prints a script that makes a shell complete command lines of leasehold with the tab key.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action(
      act(async (shell: Shell, _flags: unknown, self: Command) =>
        (await import('../completion/completion.js')).printCompletion(shell, self.parent ?? self),
      ),
    );
  return withExamples(withNotes(command, NOTE), [
    ['source <(leasehold completion bash)', 'in ~/.bashrc, or for this shell alone'],
    [
      'leasehold completion bash > ~/.local/share/bash-completion/completions/leasehold',
      'for all shells to come, with bash-completion',
    ],
    ['leasehold completion zsh > "${fpath[1]}/_leasehold"', 'for zsh, before compinit is run in ~/.zshrc'],
    ['leasehold completion fish > ~/.config/fish/completions/leasehold.fish', 'for fish'],
  ]);
}

const NOTE =
  'The script asks no server and starts nothing: make it anew after an upgrade. What follows `leasehold run --` is completed ' +
  "as that program's own command line, in bash if the package bash-completion is there.";
