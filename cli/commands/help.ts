import { Command } from 'commander';
import { withExamples } from '../examples';

/** `leasehold help`: the help of any command, also of one below another. */
export function helpCommand(): Command {
  const command = new Command('help')
    .description('Shows the help of a command.')
    .argument('[command...]', 'its name, e.g. check or token create')
    .action(async (names: readonly string[], _flags: unknown, self: Command) => {
      let shown = self.parent ?? self;
      for (const name of names) {
        const found = shown.commands.find((each) => each.name() === name || each.aliases().includes(name));
        if (found !== undefined) shown = found;
        // Lets commander say that there is no such command, and which one is like it.
        else if (shown.commands.length > 0) await shown.parseAsync([name], { from: 'user' });
      }
      shown.outputHelp();
    });
  return withExamples(command, [
    ['leasehold help run', 'show what run does, and its options'],
    ['leasehold help token create', 'likewise of a command below another'],
  ]);
}
