import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Argument, Command, Option } from 'commander';
import { bashScript } from '../../../cli/completion/bash';
import { fishScript } from '../../../cli/completion/fish';
import { completedTree } from '../../../cli/completion/tree';
import { zshScript } from '../../../cli/completion/zsh';
import { createProgram } from '../../../cli/program';

const run = promisify(execFile);

/** All that a command line may have, whatever the commands of today. */
function example(): Command {
  const list = new Command('list')
    .alias('ls')
    .description("Lists what is one's own: all [of it]. Or less.")
    .addOption(new Option('-f, --format <format>', 'how').choices(['json', 'yaml']))
    .addOption(new Option('--quietly', 'not shown').hideHelp())
    .option('--as <name>', 'for whom');
  const render = new Command('render')
    .description('Renders a file.')
    .argument('<file>', 'which')
    .argument('[words...]', 'what')
    .option('--out <dir>', 'where to')
    .option('--template-file <file>', 'by which');
  return new Command('leasehold')
    .helpCommand(false)
    .version('1.2.3')
    .addCommand(new Command('leases').alias('l').description('Leases.').helpCommand(false).addCommand(list))
    .addCommand(render)
    .addCommand(new Command('shell').addArgument(new Argument('<shell>').choices(['bash', 'zsh'])))
    .addCommand(new Command('hidden'), { hidden: true })
    .addCommand(
      new Command('run').argument('<command...>').option('--ttl, --dynamic-ttl <span>', 'how long').option('--once'),
    );
}

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
  await mkdir(join(directory, 'my folder'));
  await writeFile(join(directory, 'my file.yaml'), '');
  await mkdir(join(directory, 'bin'));
  await writeFile(join(directory, 'bin/lease-probe'), '#!/bin/sh\n');
  await chmod(join(directory, 'bin/lease-probe'), 0o755);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const REPLY = `
COMP_LINE=$1 COMP_POINT=\${#1} COMP_WORDS=("\${@:2}") COMP_CWORD=$(($# - 2))
_leasehold leasehold "\${COMP_WORDS[COMP_CWORD]}"
((\${#COMPREPLY[@]} == 0)) || printf '%s\n' "\${COMPREPLY[@]}"
`;

/** What bash offers at the end of a line, in the folder of this test. */
async function offered(line: string, { before = '', program = example() } = {}): Promise<readonly string[]> {
  // As bash hands words over: at = and : they are taken apart.
  const words = line.match(/[=:]+|[^\s=:]+|\s+$/g)?.map((word) => word.trim()) ?? [];
  const script = `${before}\n${bashScript(completedTree(program))}${REPLY}`;
  const { stdout, stderr } = await run('bash', ['--norc', '-c', script, 'bash', line, ...words], {
    cwd: directory,
    env: { PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}` },
  });
  expect(stderr).toBe('');
  return [...new Set(stdout.split('\n').filter((word) => word !== ''))].sort();
}

describe('in bash', () => {
  test.each([
    ['leasehold ', ['l', 'leases', 'render', 'run', 'shell']],
    ['leasehold r', ['render', 'run']],
    ['leasehold leases ', ['list', 'ls']],
    ['leasehold l ls --', ['--as', '--format', '--help']],
    ['leasehold --', ['--help', '--version']],
    ['leasehold leases list --format ', ['json', 'yaml']],
    ['leasehold leases list -f y', ['yaml']],
    ['leasehold l list --format=j', ['json']],
    ['leasehold l list --format=', ['json', 'yaml']],
    ['leasehold l list --as ', []],
    ['leasehold l list --as x --for', ['--format']],
    ['leasehold l list --as http://x:80 --for', ['--format']],
    ['leasehold leases list --as run --for', ['--format']],
    ['leasehold shell ', ['bash', 'zsh']],
    ['leasehold shell bash ', []],
    ['leasehold render my', ['my file.yaml', 'my folder']],
    ['leasehold render --out my', ['my folder']],
    ['leasehold render --out x ', ['bin', 'my file.yaml', 'my folder']],
    ['leasehold render --template-file=my', ['my file.yaml', 'my folder']],
    ['leasehold render a ', []],
    ['leasehold run --', ['--dynamic-ttl', '--help', '--once', '--ttl']],
  ])('%s', async (line, words) => {
    expect(await offered(line)).toEqual(words);
  });

  test.each(['leasehold run -- ', 'leasehold run --ttl 5m --once -- ', 'leasehold run --ttl=5m '])(
    '%s goes on with the names of programs, then of files',
    async (line) => {
      expect(await offered(`${line}lease-pro`)).toEqual(['lease-probe']);
      expect(await offered(`${line}lease-probe my`)).toEqual(['my file.yaml', 'my folder']);
      expect(await offered(`${line}lease-probe --o`)).toEqual([]);
    },
  );

  test.each(['_command_offset', '_comp_command_offset'])(
    "goes on as the program's own completion does, by %s of bash-completion",
    async (helper) => {
      const before = `${helper}() { COMPREPLY=("from word $1"); }`;
      expect(await offered('leasehold run --ttl=5m -- git pu', { before })).toEqual(['from word 6']);
      expect(await offered('leasehold run --once git ', { before })).toEqual(['from word 3']);
      expect(await offered('leasehold run --once --', { before })).toContain('--ttl');
    },
  );

  test('knows the commands of today', async () => {
    const program = createProgram();
    const names = program.commands.map((each) => each.name());
    expect(await offered('leasehold ', { program })).toEqual(expect.arrayContaining([...names].sort()));
    expect(await offered('leasehold help ', { program })).toEqual([...names].sort());
    expect(await offered('leasehold completion ', { program })).toEqual(['bash', 'fish', 'zsh']);
    expect(await offered('leasehold check --config my', { program })).toEqual(['my file.yaml', 'my folder']);
    expect(await offered('leasehold run --project x -- lease-pro', { program })).toEqual(['lease-probe']);
  });
});

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

describe.each(Object.entries(SCRIPTS))('the script for %s', (shell, script) => {
  const isThere = spawnSync(shell, ['-c', 'exit 0']).status === 0;

  (isThere ? test : test.skip)(`is understood (skipped where ${shell} is not installed)`, async () => {
    const file = join(directory, `leasehold.${shell}`);
    for (const program of [example(), createProgram()]) {
      await writeFile(file, script(completedTree(program)));
      const { stdout, stderr } = await run(shell, ['-n', file]);
      expect([stdout, stderr]).toEqual(['', '']);
    }
  });

  test('names every command and every option that the help shows, and no other', () => {
    const text = script(completedTree(createProgram()));
    const spelled = (name: string): string => (shell === 'fish' ? `-l ${name.slice(2)} ` : name);
    let count = 0;
    const look = (command: Command): void => {
      expect(text).toContain(command.name());
      for (const { long } of command.createHelp().visibleOptions(command)) {
        if (long != null) expect(text).toContain(spelled(long));
        count += 1;
      }
      command.commands.forEach(look);
    };
    look(createProgram());
    expect(count).toBeGreaterThan(10);
    const other = script(completedTree(example()));
    expect(other).toContain('template-file');
    expect(other).not.toMatch(/hidden|quietly/);
  });
});

test('zsh and fish are told what an option does, in a line of its own words', () => {
  const tree = completedTree(example());
  expect(zshScript(tree)).toContain("'list:Lists what is one'\\''s own'");
  expect(fishScript(tree)).toContain("-a list -d 'Lists what is one\\'s own'");
  expect(zshScript(tree)).toContain("'(-f --format)--format=[how]:format:(json yaml)'");
  expect(fishScript(tree)).toContain("-s f -l format -x -a 'json yaml' -d 'how'");
});

const fish = spawnSync('fish', ['-c', 'exit 0']).status === 0;

(fish ? test : test.skip)('fish completes by it (skipped where fish is not installed)', async () => {
  const file = join(directory, 'leasehold.fish');
  await writeFile(file, fishScript(completedTree(example())));
  const complete = async (line: string): Promise<readonly string[]> => {
    const env = { PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`, HOME: directory };
    const { stdout } = await run('fish', ['-c', 'source $argv[1]; complete -C $argv[2]', file, line], {
      cwd: directory,
      env,
    });
    return stdout.split('\n').flatMap((each) => (each === '' ? [] : [each.split('\t')[0]!]));
  };
  expect(await complete('leasehold leases ')).toEqual(['list', 'ls']);
  expect(await complete('leasehold l ls --format ')).toEqual(['json', 'yaml']);
  expect(await complete('leasehold run --ttl 5m -- lease-pro')).toEqual(['lease-probe']);
});
