import type { Command } from 'commander';

/** Command lines with what they do, below the help of a command and in docs/cli.md. */
export function withExamples(command: Command, examples: readonly (readonly [line: string, does: string])[]): Command {
  const lines = examples.map(([line, does]) => `  # ${does}\n  ${line}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}
