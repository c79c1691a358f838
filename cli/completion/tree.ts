import type { Argument, Command, Option } from 'commander';

/** What a shell can complete in a value. */
export type Values =
  { readonly kind: 'words'; readonly words: readonly string[] } | { readonly kind: 'file' | 'directory' | 'text' };

export interface CompletedOption {
  /** `-h`, `--help`: all spellings. */
  readonly names: readonly string[];
  readonly description: string;
  /** Null: it takes none, or may go without. */
  readonly value: (Values & { readonly label: string }) | null;
  readonly repeats: boolean;
}

export interface CompletedOperand {
  readonly label: string;
  readonly values: Values;
  readonly repeats: boolean;
}

/** One command as the scripts see it. */
export interface CompletedCommand {
  /** Its name, and its aliases. */
  readonly names: readonly string[];
  readonly description: string;
  readonly options: readonly CompletedOption[];
  readonly operands: readonly CompletedOperand[];
  /** What stands after its options is a command line of its own. */
  readonly startsProgram: boolean;
  readonly commands: readonly CompletedCommand[];
}

/** The commands, options and values of a program, so far as its help shows them. */
export function completedTree(command: Command): CompletedCommand {
  const help = command.createHelp();
  const startsProgram = command.registeredArguments.some(
    (argument) => argument.name() === 'command' && argument.required && argument.variadic,
  );
  return {
    names: [command.name(), ...command.aliases()],
    description: brief(help.subcommandDescription(command)),
    options: help.visibleOptions(command).map(completedOption),
    operands: startsProgram ? [] : command.registeredArguments.map((argument) => completedOperand(argument, command)),
    startsProgram,
    commands: help.visibleCommands(command).map(completedTree),
  };
}

function completedOption(option: Option): CompletedOption {
  const label = /<([^>]+?)(?:\.\.\.)?>/.exec(option.flags)?.[1];
  return {
    names: [option.short, option.long].filter((name) => name !== undefined),
    description: brief(option.description),
    value: label === undefined ? null : { label, ...valuesOf(label, option.argChoices) },
    repeats: option.variadic || (option.parseArg !== undefined && option.argChoices === undefined),
  };
}

function completedOperand(argument: Argument, command: Command): CompletedOperand {
  const label = argument.name();
  const names = command.name() === 'help' ? command.parent?.commands.map((each) => each.name()) : undefined;
  // What stands below a command is not among those names.
  const repeats = argument.variadic && names === undefined;
  return { label, values: valuesOf(label, argument.argChoices ?? names), repeats };
}

/** By its choices, else by what the help calls it. */
function valuesOf(label: string, choices: readonly string[] | undefined): Values {
  if (choices !== undefined) return { kind: 'words', words: choices };
  if (/^(?:file|path|template|.*-file)$/.test(label)) return { kind: 'file' };
  return { kind: /^(?:dir|directory|folder)$/.test(label) ? 'directory' : 'text' };
}

/** The first sentence of a description without what stands in brackets: shells give it one line. */
function brief(description: string): string {
  const text = description.replaceAll(/\s*\([^)]*\)/g, '').replaceAll(/\s+/g, ' ');
  return text
    .replace(/(?:; |: |[.] (?=[A-Z])).*$/, '')
    .replace(/[.,;:]$/, '')
    .trim();
}
