import type { Command } from 'commander';

/** Command lines with what they do, below the help of a command and in docs/cli.md. */
export function withExamples(command: Command, examples: readonly (readonly [line: string, does: string])[]): Command {
  const lines = examples.map(([line, does]) => `  # ${does}\n  ${line}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/** Paragraphs between the options and the examples of a help, as wide as the terminal. */
export function withNotes(command: Command, ...paragraphs: readonly string[]): Command {
  return command.addHelpText('after', ({ command: shown, error }) => {
    const output = shown.configureOutput();
    const width = (error ? output.getErrHelpWidth?.() : output.getOutHelpWidth?.()) ?? 80;
    const help = shown.createHelp();
    return `\n${paragraphs.map((each) => help.boxWrap(each, width)).join('\n\n')}`;
  });
}
