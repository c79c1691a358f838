import type { Command } from 'commander';

/** Between what people wrote and what the commands say of themselves. */
const BOUNDARY = '<!-- What follows is the help of the commands. It is written by: npm run docs -->';

/** docs/cli.md with the help of all commands as it is now. What stands above the boundary is kept. */
export function withCommands(page: string, program: Command): string {
  const end = page.indexOf(BOUNDARY);
  if (end === -1) throw new Error(`docs/cli.md has lost the line ${BOUNDARY}`);
  const commands = allCommands(program);
  const contents = commands.map((each) => {
    const name = fullName(each);
    return `- [\`${name}\`](#${name.replaceAll(' ', '-')}): ${each.description()}`;
  });
  const sections = commands.map((each) => `### ${fullName(each)}\n\n\`\`\`text\n${helpOf(each)}\n\`\`\``);
  return [page.slice(0, end) + BOUNDARY, '## Commands', contents.join('\n'), ...sections].join('\n\n') + '\n';
}

/** Those that the help shows, each before those below it; without the program itself. */
export function allCommands(program: Command): readonly Command[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .flatMap((each) => [each, ...allCommands(each)]);
}

/** As it is typed: `leasehold token create`. */
export function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

/** The help of a command as a terminal of 100 columns without colours shows it. */
export function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.replaceAll(/[ \t]+$/gm, '').trim();
}
