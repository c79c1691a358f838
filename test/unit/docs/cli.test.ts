import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createProgram } from '../../../cli/program';
import { allCommands, fullName, helpOf, withCommands } from '../../../dev/cli-docs';

/** The command lines of leasehold in shell examples, as lists of words: also those within a substitution or before a pipe. */
function commandLines(text: string): readonly (readonly string[])[] {
  const code = text.replaceAll(/(^|\s)#.*$/gm, '$1').replaceAll(/\\\n\s*/g, ' ');
  return [...code.matchAll(/(?<![\w./@~-])leasehold (?=[a-z]|--version)/g)].map(({ index }) =>
    shellWords(code.slice(index)),
  );
}

/** Up to where the shell ends the command. */
function shellWords(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | null = null;
  for (const [part] of text.matchAll(/'[^']*'|"(?:\\.|[^"\\])*"|\\.|\s+#.*|[\s\S]/g)) {
    if (/^\s+#/.test(part) || /^[\n|;&()<>`"]$/.test(part)) break;
    if (/^\s$/.test(part)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? '') + (/^['"]/.test(part) ? part.slice(1, -1) : part.replace(/^\\/, ''));
    }
  }
  if (word !== null) words.push(word);
  return words.slice(1);
}

/** What commander has against a command line; nothing: it takes it. Nothing is done. */
async function objection(words: readonly string[]): Promise<string> {
  const program = createProgram();
  let said = '';
  for (const command of [program, ...allCommands(program)]) {
    command.exitOverride().configureOutput({
      writeOut: () => undefined,
      writeErr: (text) => {
        said += text;
      },
    });
    // Only where there is one: with it commander takes the names of commands below for operands.
    const { _actionHandler: handler } = command as unknown as { readonly _actionHandler: unknown };
    if (handler !== null) command.action(() => undefined);
  }
  try {
    await program.parseAsync([...words], { from: 'user' });
    return '';
  } catch (error) {
    const { exitCode, message } = error as { readonly exitCode?: number; readonly message: string };
    return exitCode === 0 ? '' : said || message;
  }
}

async function page(path: string): Promise<string> {
  return readFile(join(__dirname, '../../..', path), 'utf8');
}

function examplesOf(command: Command): string {
  return /^Examples:\n([\s\S]*?)(?:\n\n|$(?![\s\S]))/m.exec(helpOf(command))?.[1] ?? '';
}

const commands = allCommands(createProgram());

test('docs/cli.md says what the help says now (npm run docs writes it)', async () => {
  const text = await page('docs/cli.md');
  expect(text).toBe(withCommands(text, createProgram()));
});

describe.each(commands.map((command) => [fullName(command), command] as const))('%s', (name, command) => {
  test('says what it does, and what each operand and option is', () => {
    expect(command.description()).toMatch(/^[A-Z].*\.$/s);
    const help = command.createHelp();
    for (const option of help.visibleOptions(command)) expect(`${option.flags}: ${option.description}`).toMatch(/: \S/);
    for (const each of command.registeredArguments) expect(`${each.name()}: ${each.description}`).toMatch(/: \S/);
  });

  test('has examples, and takes them', async () => {
    const examples = examplesOf(command);
    const lines = commandLines(examples);
    expect(`${name}: ${lines.length} examples`).not.toBe(`${name}: 0 examples`);
    // Each is told what it does.
    expect(examples).toMatch(/^ {2}# \S/);
    expect(examples).toContain(name);
    for (const words of lines) expect([words, await objection(words)]).toEqual([words, '']);
  });
});

test('the command lines of the main help and of the pages are taken', async () => {
  const pages = [
    'README',
    'docs/access',
    'docs/cli',
    'docs/http-api',
    'docs/library',
    'docs/operations',
    'docs/runbook',
  ];
  const integrations = ['aws-iam', 'aws-sts', 'datadog', 'postgresql'].map((each) => `docs/integrations/${each}`);
  let count = 0;
  const take = async (text: string): Promise<void> => {
    // What an earlier line of the page has put there.
    const filled = text.replaceAll(/"\$\w*(?:lease|block)\w*"/gi, 'abcdefghijklmnopqrstuvwx');
    for (const words of commandLines(filled)) {
      expect([words, await objection(words)]).toEqual([words, '']);
      count += 1;
    }
  };
  await take(examplesOf(createProgram()));
  for (const path of [...pages, ...integrations]) {
    const text = await page(`${path}.md`);
    for (const [, code] of text.matchAll(/```(?:sh|yaml|dockerfile|ini)\n(.*?)```/gs)) await take(code!);
  }
  expect(count).toBeGreaterThan(20);
});

test.each(['docs/from-doppler', 'docs/from-vault'])('the command lines in the tables of %s are taken', async (path) => {
  const [, table = ''] = /^## Side by side\n(.*?)^## /ms.exec(await page(`${path}.md`)) ?? [];
  const text = table.replaceAll(/<(id|url)>/g, 'abcdefghijklmnopqrstuvwx');
  const lines = [...text.matchAll(/`(leasehold [^`\n]+)`/g)].map(([, line]) => line!);
  expect(lines.length).toBeGreaterThan(10);
  for (const words of lines.flatMap(commandLines)) expect([words, await objection(words)]).toEqual([words, '']);
});

test('a command line that is wrong would be seen', async () => {
  expect(await objection(['check', '--conf', 'x'])).toContain('unknown option');
  expect(await objection(['chek'])).toContain('Did you mean check?');
  expect(await objection(['token', 'create'])).toContain('missing required argument');
  expect(
    commandLines(
      'x=$(leasehold check --config "a b.yaml" | jq .) # leasehold all\nleasehold help \\\n  run; leasehold run -- a',
    ),
  ).toEqual([
    ['check', '--config', 'a b.yaml'],
    ['help', 'run'],
    ['run', '--', 'a'],
  ]);
});
