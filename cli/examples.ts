import type { Command } from 'commander';

/** Command lines with what they do, below the help of a command and in docs/cli.md. */
export function withExamples(command: Command, examples: readonly (readonly [line: string, does: string])[]): Command {
  const lines = examples.map(([line, does]) => `  # ${does}\n  ${line}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/**
 * Paragraphs between the options and the examples of a help, as wide as the terminal. A line of one begins with its indent, or with a
 * word and two spaces or more, and what does not fit into it goes on below its text.
 */
export function withNotes(command: Command, ...paragraphs: readonly string[]): Command {
  return command.addHelpText('after', ({ command: shown, error }) => {
    const output = shown.configureOutput();
    const width = (error ? output.getErrHelpWidth?.() : output.getOutHelpWidth?.()) ?? 80;
    const help = shown.createHelp();
    const wrap = (line: string): string => {
      const [head = ''] = /^ *(?:\S+ {2,})?/.exec(line) ?? [];
      const indent = ' '.repeat(head.length);
      return head + help.boxWrap(line.slice(head.length), width - head.length).replaceAll('\n', `\n${indent}`);
    };
    return `\n${paragraphs.map((each) => each.split('\n').map(wrap).join('\n')).join('\n\n')}`;
  });
}
