import { createProgram } from '../../../cli/program';
import { allCommands, fullName, helpOf } from '../../../dev/cli-docs';
import { version } from '../../../package.json';

interface Said {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

/** What the command line says by itself: its commands are not run. */
async function say(...args: string[]): Promise<Said> {
  const program = createProgram();
  const said = { stdout: '', stderr: '' };
  const listen = (command: typeof program): void => {
    command.exitOverride().configureOutput({
      writeOut: (text) => {
        said.stdout += text;
      },
      writeErr: (text) => {
        said.stderr += text;
      },
    });
    command.commands.forEach(listen);
  };
  listen(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return { ...said, exitCode: undefined };
  } catch (error) {
    return { ...said, exitCode: (error as { exitCode: number }).exitCode };
  }
}

test('--version prints the version of the package alone', async () => {
  expect(await say('--version')).toEqual({ stdout: `${version}\n`, stderr: '', exitCode: 0 });
});

test('leasehold alone is a mistake, and shows the help where mistakes are told', async () => {
  const { stdout, stderr, exitCode } = await say();
  expect([stdout, exitCode]).toEqual(['', 1]);
  expect(stderr).toMatch(/^Usage: leasehold /);
});

test('the main help lists every command in a group, with the examples that matter most and where the rest is told', async () => {
  const { stdout } = await say('--help');
  expect(stdout).not.toContain('\nCommands:\n');
  for (const command of createProgram().commands) {
    expect(stdout).toMatch(new RegExp(`^ {2}${command.name()} {2,}[A-Z]`, 'm'));
  }
  expect(stdout).toContain('\nRunning programs:\n  run ');
  expect(stdout).toMatch(/Examples:\n(?: {2}# .*\n {2}leasehold (?:login|run|help) .*\n){3}/);
  expect(stdout).toContain('docs/cli.md');
});

test('help shows what --help shows, at any depth', async () => {
  expect((await say('help')).stdout).toBe((await say('--help')).stdout);
  expect((await say('help', 'check')).stdout).toBe((await say('check', '--help')).stdout);
  expect((await say('help', 'token', 'create')).stdout).toBe((await say('token', 'create', '--help')).stdout);
  // A program is not looked up, let alone started.
  expect((await say('help', 'run', 'ls')).stdout).toBe((await say('run', '--help')).stdout);
});

test('what is not known is told with what is like it, else with where to look', async () => {
  const said = { stdout: '', exitCode: 1 };
  expect(await say('chek')).toEqual({ ...said, stderr: "error: unknown command 'chek'\n(Did you mean check?)\n" });
  expect(await say('help', 'token', 'creat')).toMatchObject({ ...said, stderr: expect.stringContaining('create?') });
  expect(await say('help', 'chek')).toMatchObject({ ...said, stderr: expect.stringContaining('check?') });
  expect(await say('token', 'create')).toEqual({
    ...said,
    stderr: "error: missing required argument 'name'\nSee: leasehold token create --help\n",
  });
});

test('no help is wider than the terminal, but for command lines that are to be copied', () => {
  const program = createProgram();
  const isExample = (line: string): boolean =>
    line.startsWith('  ') && / leasehold |^ {2}leasehold |^ {2}credential_/.test(line);
  for (const command of [program, ...allCommands(program)]) {
    const wide = helpOf(command)
      .split('\n')
      .filter((line) => line.length > 100 && !isExample(line));
    expect([fullName(command), ...wide]).toEqual([fullName(command)]);
  }
});
