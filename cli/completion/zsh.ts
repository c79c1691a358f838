import type { CompletedCommand, CompletedOperand, CompletedOption, Values } from './tree';

/** For zsh 5: as a file `_leasehold` in a folder of fpath, or sourced after compinit. */
export function zshScript(program: CompletedCommand): string {
  return `#compdef leasehold
# Completes command lines of leasehold in zsh. Made by: leasehold completion zsh

${functionsOf(program, '_leasehold').join('\n')}
if [[ "$funcstack[1]" == _leasehold ]]; then
  _leasehold "$@"
else
  compdef _leasehold leasehold
fi
`;
}

/** One function for each command, those below it first. */
function functionsOf(command: CompletedCommand, name: string): readonly string[] {
  const below = command.commands.flatMap((each) => functionsOf(each, functionName(name, each)));
  return [...below, command.commands.length > 0 ? groupFunction(command, name) : commandFunction(command, name)];
}

function functionName(parent: string, command: CompletedCommand): string {
  return `${parent}_${command.names[0]?.replaceAll('-', '_') ?? ''}`;
}

function groupFunction(command: CompletedCommand, name: string): string {
  const offered = command.commands.flatMap(({ names, description }) =>
    names.map((each) => quote(`${each}:${description}`)),
  );
  const cases = command.commands.map((each) => `        ${each.names.join('|')}) ${functionName(name, each)} ;;`);
  return `${name}() {
  local curcontext="$curcontext" state line
  local -A opt_args
  local -a offered
  _arguments -C -A '-*' \\
${[...command.options.flatMap(optionSpecs), "'1: :->command'", "'*:: :->rest'"].map((spec) => `    ${spec}`).join(' \\\n')}
  case "$state" in
    command)
      offered=(
${offered.map((each) => `        ${each}`).join('\n')}
      )
      _describe -t commands command offered
      ;;
    rest)
      curcontext="\${curcontext%:*}-$words[1]:"
      case "$words[1]" in
${cases.join('\n')}
      esac
      ;;
  esac
}
`;
}

function commandFunction(command: CompletedCommand, name: string): string {
  const operands = command.startsProgram
    ? ["'(-)1:program: _command_names -e'", "'*:: :_normal'"]
    : command.operands.map(operandSpec);
  const specs = [...command.options.flatMap(optionSpecs), ...operands];
  return `${name}() {
  _arguments -S${command.startsProgram ? " -A '-*'" : ''} \\
${specs.map((spec) => `    ${spec}`).join(' \\\n')}
}
`;
}

function optionSpecs({ names, description, value, repeats }: CompletedOption): readonly string[] {
  const excluded = repeats ? '*' : names.length > 1 ? `(${names.join(' ')})` : '';
  const taken = value === null ? '' : `:${escape(value.label)}:${action(value)}`;
  return names.map((name) => {
    const assigned = value !== null && name.startsWith('--') ? '=' : '';
    return quote(`${excluded}${name}${assigned}[${escape(description)}]${taken}`);
  });
}

function operandSpec({ label, values, repeats }: CompletedOperand): string {
  return quote(`${repeats ? '*' : ''}:${escape(label)}:${action(values)}`);
}

function action(values: Values): string {
  switch (values.kind) {
    case 'words':
      return `(${values.words.join(' ')})`;
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'text':
      return ' ';
  }
}

/** In a specification of _arguments these end a part. */
function escape(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, '\\$&');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
