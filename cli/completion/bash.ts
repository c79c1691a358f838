import type { CompletedCommand, Values } from './tree';

/** For bash 3.2 and newer, with or without the package bash-completion. */
export function bashScript(program: CompletedCommand): string {
  const commands = flatten(program, ['']);
  return `# Completes command lines of leasehold in bash. Made by: leasehold completion bash

# What there is below the command $1, e.g. ' token create'.
_leasehold_command() {
  commands='' options='' valued='' program=''
  case "$1" in
${commands.map(commandCase).join('\n')}
  esac
}

# What the value of an option may be ($1: command and option), or the operand of a number ($1: command and number).
_leasehold_values() {
  kind='' words=''
  case "$1" in
${commands.flatMap(valueCases).join('\n')}
    *) ;;
  esac
}

${FUNCTIONS}`;
}

interface Flat {
  /** All ways to write it: by its names and those of the commands above. */
  readonly paths: readonly string[];
  readonly command: CompletedCommand;
}

function flatten(command: CompletedCommand, paths: readonly string[]): readonly Flat[] {
  const below = command.commands.flatMap((each) => {
    const longer = paths.flatMap((path) => each.names.map((name) => `${path} ${name}`));
    return flatten(each, longer);
  });
  return [{ paths, command }, ...below];
}

function commandCase({ paths, command }: Flat): string {
  const { commands, options, startsProgram } = command;
  const parts = [
    ['commands', commands.flatMap((each) => each.names)],
    ['options', options.flatMap(({ names }) => offered(names))],
    ['valued', options.filter(({ value }) => value !== null).flatMap(({ names }) => names)],
    ['program', startsProgram ? ['yes'] : []],
  ] as const;
  const settings = parts
    .filter(([, words]) => words.length > 0)
    .map(([name, words]) => `${name}=${quote(words.join(' '))}`);
  return `    ${paths.map(quote).join('|')}) ${settings.join(' ')} ;;`;
}

/** Long names say what they are: short ones are offered only where there is no long one. */
function offered(names: readonly string[]): readonly string[] {
  const long = names.filter((name) => name.startsWith('--'));
  return long.length > 0 ? long : names;
}

function valueCases({ paths, command }: Flat): readonly string[] {
  const options = command.options.flatMap(({ names, value }) =>
    value === null
      ? []
      : valueCase(
          paths.flatMap((path) => names.map((name) => quote(`${path} ${name}`))),
          value,
        ),
  );
  const operands = command.operands.flatMap(({ values, repeats }, index) =>
    valueCase(
      paths.map((path) => (repeats ? `${quote(`${path} `)}[0-9]*` : quote(`${path} ${index + 1}`))),
      values,
    ),
  );
  return [...options, ...operands];
}

function valueCase(patterns: readonly string[], values: Values): readonly string[] {
  if (values.kind === 'text') return [];
  const setting = values.kind === 'words' ? `words=${quote(values.words.join(' '))}` : `kind=${values.kind}`;
  return [`    ${patterns.join('|')}) ${setting} ;;`];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const FUNCTIONS = `_leasehold() {
  local commands options valued program kind words
  local path='' operand=1 option='' ended='' prefix='' cur='' rest="$COMP_LINE" trimmed word i
  local line=() begins=()
  COMPREPLY=()
  # Bash takes a word apart at = and :, and here it is whole again.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    trimmed="\${rest#"\${rest%%[![:space:]]*}"}"
    if ((i > 0)) && [[ -n "$word" && "$rest" == "$trimmed" ]]; then
      line[\${#line[@]} - 1]+="$word"
    else
      begins[\${#line[@]}]=$i
      line[\${#line[@]}]="$word"
    fi
    rest="\${trimmed#"$word"}"
  done
  cur="\${line[\${#line[@]} - 1]}"

  _leasehold_command ''
  for ((i = 1; i < \${#line[@]} - 1; i++)); do
    word="\${line[i]}"
    if [[ -n "$option" ]]; then
      option=''
    elif [[ -z "$ended" && "$word" == -- ]]; then
      ended=yes
    elif [[ -z "$ended" && "$word" == -* ]]; then
      [[ " $valued " == *" $word "* ]] && option="$word"
    elif [[ -z "$ended" && " $commands " == *" $word "* ]]; then
      path+=" $word"
      _leasehold_command "$path"
    elif [[ -n "$program" ]]; then
      _leasehold_program "\${begins[i]}"
      return
    else
      ((operand += 1))
    fi
  done

  if [[ -z "$option$ended" && "$cur" == --*=* ]]; then
    option="\${cur%%=*}"
    cur="\${cur#*=}"
    # What stands before a = is not replaced, unless bash was told to leave words whole.
    [[ "$COMP_WORDBREAKS" == *=* ]] || prefix="$option="
  elif [[ -n "$program" && -z "$option" && ( -n "$ended" || "$cur" != -* ) ]]; then
    _leasehold_program "\${begins[\${#line[@]} - 1]}"
    return
  fi

  if [[ -n "$option" ]]; then
    _leasehold_values "$path $option"
  elif [[ -z "$ended" && "$cur" == -* ]]; then
    kind='' words="$options"
  elif [[ -n "$commands" ]]; then
    kind='' words="$commands"
  else
    _leasehold_values "$path $operand"
  fi
  case "$kind" in
    file) _leasehold_reply -f ;;
    directory) _leasehold_reply -d ;;
    *) _leasehold_reply -W "$words" ;;
  esac
}

# Answers what compgen finds for the word under the cursor.
_leasehold_reply() {
  local found
  [[ "$1" == -W ]] || compopt -o filenames 2>/dev/null
  while IFS= read -r found; do
    COMPREPLY[\${#COMPREPLY[@]}]="$found"
  done < <(compgen -P "$prefix" "$@" -- "$cur")
}

# Completes a command line that begins at the word $1 of this one.
_leasehold_program() {
  if declare -F _comp_command_offset >/dev/null; then
    _comp_command_offset "$1"
  elif declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif ((COMP_CWORD == $1)); then
    _leasehold_reply -c
  else
    _leasehold_reply -f
  fi
}

complete -F _leasehold leasehold
`;
