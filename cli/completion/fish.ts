import type { CompletedCommand, CompletedOption, Values } from './tree';

/** For fish 3.1 and newer. */
export function fishScript(program: CompletedCommand): string {
  const all = flatten(program, '');
  const commands = all.flatMap(({ command, path }) =>
    command.commands.flatMap(({ names }) =>
      names.map((name) => [`${path} ${name}`, `${path} ${names[0] ?? ''}`] as const),
    ),
  );
  const valued = all.flatMap(({ command, path }) =>
    command.options.flatMap(({ names, value }) => (value === null ? [] : names.map((name) => `${path} ${name}`))),
  );
  const programs = all.filter(({ command }) => command.startsProgram).map(({ path }) => path);
  return `# Completes command lines of leasehold in fish. Made by: leasehold completion fish

# Tells the command that stands before the cursor, e.g. ' token create', then how many operands it has so far, and from which word on
# there is a command line of another program.
function __leasehold_where
    set -l words (commandline -opc)
    set -l path ''
    set -l operands 0
    set -l option ''
    set -l ended ''
    set -l index 1
    for word in $words[2..-1]
        set index (math $index + 1)
        if test -n "$option"
            set option ''
        else if test -z "$ended" -a "$word" = --
            set ended yes
        else if test -z "$ended"; and string match -q -- '-*' $word
            switch "$path $word"
                case ${valued.map(quote).join(' ')}
                    set option $word
            end
        else
            switch "$path $word"
${commands.map(([typed, path]) => `                case ${quote(typed)}\n                    set path ${quote(path)}`).join('\n')}
                case '*'
                    switch $path
                        case ${programs.map(quote).join(' ')}
                            printf '%s\\n' $path $operands $index
                            return
                    end
                    set operands (math $operands + 1)
            end
        end
    end
    set -l begins ''
    if test -n "$ended"
        switch $path
            case ${programs.map(quote).join(' ')}
                set begins (math $index + 1)
        end
    end
    printf '%s\\n' $path $operands $begins
end

function __leasehold_at -a path
    set -l where (__leasehold_where)
    test "$where[1]" = "$path" -a -z "$where[3]"
end

function __leasehold_operand -a path number
    set -l where (__leasehold_where)
    test "$where[1]" = "$path" -a -z "$where[3]" -a "$where[2]" -eq "$number"
end

# The first word of the other program is completed without -- before it, too.
function __leasehold_runs -a path
    set -l where (__leasehold_where)
    test "$where[1]" = "$path"
end

function __leasehold_program
    set -l where (__leasehold_where)
    set -l words (commandline -opc)
    set -l program
    if test -n "$where[3]"
        test "$where[3]" -le (count $words); and set program (string escape -- $words[$where[3]..-1])
    else if string match -q -- '-*' (commandline -ct)
        return
    end
    complete -C (string join ' ' -- $program (commandline -ct))
end

complete -c leasehold -f
${all.flatMap(linesOf).join('\n')}
`;
}

interface Flat {
  readonly path: string;
  readonly command: CompletedCommand;
}

function flatten(command: CompletedCommand, path: string): readonly Flat[] {
  return [{ path, command }, ...command.commands.flatMap((each) => flatten(each, `${path} ${each.names[0] ?? ''}`))];
}

function linesOf({ path, command }: Flat): readonly string[] {
  const at = `complete -c leasehold -n ${quote(`__leasehold_at ${quote(path)}`)}`;
  const commands = command.commands.flatMap(({ names, description }) =>
    names.map((name) => `${at} -a ${name} -d ${quote(description)}`),
  );
  const operands = command.operands.flatMap(({ values, repeats }, index) => {
    const when = repeats ? `__leasehold_at ${quote(path)}` : `__leasehold_operand ${quote(path)} ${index}`;
    const words = wordsOf(values);
    return words === '' ? [] : [`complete -c leasehold -n ${quote(when)}${words}`];
  });
  const program = command.startsProgram
    ? [`complete -c leasehold -n ${quote(`__leasehold_runs ${quote(path)}`)} -a '(__leasehold_program)'`]
    : [];
  return [...commands, ...command.options.map((option) => `${at}${optionWords(option)}`), ...operands, ...program];
}

function optionWords({ names, description, value }: CompletedOption): string {
  const spellings = names.map((name) => (name.startsWith('--') ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`));
  return `${spellings.join('')}${value === null ? '' : `${value.kind === 'file' ? ' -r' : ' -x'}${wordsOf(value)}`} -d ${quote(description)}`;
}

function wordsOf(values: Values): string {
  switch (values.kind) {
    case 'words':
      return ` -a ${quote(values.words.join(' '))}`;
    case 'file':
      return ' -F';
    case 'directory':
      return " -a '(__fish_complete_directories (commandline -ct))'";
    case 'text':
      return '';
  }
}

/** Within single quotes fish knows two escapes. */
function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
