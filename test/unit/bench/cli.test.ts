import { TYPED } from '../../../bench/cli/commands';
import { runOnce } from '../../../bench/cli/run-once';
import { cliTables, differences } from '../../../bench/cli/tables';
import { toMarkdown } from '../../../bench/table';

const never = new AbortController().signal;
const shell = (script: string) => ({
  name: 'a command',
  command: '/bin/sh',
  args: ['-c', script],
  environment: {},
  check: (printed: string) => {
    if (printed !== 'well\n') throw new Error('It printed something else.');
  },
});

test('a command that ends well is timed, and what it printed is looked at', async () => {
  const { ms, printed } = await runOnce(shell('echo well'), never);
  expect(printed).toBe('well\n');
  expect(ms).toBeGreaterThan(0);
  await expect(runOnce(shell('echo badly'), never)).rejects.toThrow('It printed something else.');
});

test('a command that fails, or is not there, is an error and no figure', async () => {
  await expect(runOnce(shell('echo no >&2; exit 3'), never)).rejects.toThrow('a command ended with 3: no');
  await expect(runOnce({ ...shell(''), command: '/nowhere' }, never)).rejects.toThrow('ENOENT');
});

test('differences are taken within each round', () => {
  const runs = new Map([
    ['run', [50, 90]],
    ['true', [1, 2]],
    ['once', [1]],
  ]);
  expect(differences(runs, 'run', 'true')).toEqual([49, 88]);
  expect(() => differences(runs, 'run', 'once')).toThrow('run ran 2 times, and once 1 times.');
});

test('the tables have every command', () => {
  const runs = new Map(Object.values(TYPED).map((name, index) => [name, [index + 1, index + 2]]));
  const written = cliTables(runs).map(toMarkdown).join('\n');
  for (const name of Object.values(TYPED)) expect(written).toContain(name);
});
