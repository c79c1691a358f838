import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { FORMATS } from '../../../flat/formats';
import { transformNames, TRANSFORMERS } from '../../../flat/transformers';
import type { Transformer } from '../../../flat/transformers';

const HARD = new Map([
  ['PLAIN', 'value'],
  ['EMPTY', ''],
  ['SPACES', '  a b  '],
  ['HASH', 'a # b'],
  ['DOUBLE', 'say "hi"'],
  ['SINGLE', "it's"],
  ['BOTH', `it's "$HOME" \`x\` \\n \\`],
  ['DOLLAR', '$HOME ${HOME} $(id)'],
  ['BACKTICK', '`id`'],
  ['BACKSLASH', 'a\\nb\\\\'],
  ['LINES', 'first\nsecond\n\nFORGED=1'],
  ['QUOTED_LINES', `first's\n"second" $x`],
  ['LOOKS_LIKE_YAML', '- no: {yes} #'],
  ['NUMBER', '007'],
  ['UNICODE', 'ünïcode ✓ \u2028 \u0085'],
]);

test('env, read by a shell, gives exactly the values', () => {
  const directory = mkdtempSync(join(tmpdir(), 'formats-'));
  try {
    const file = join(directory, 'secrets.env');
    writeFileSync(file, FORMATS.env.write(HARD));
    for (const [name, value] of HARD) {
      expect(execFileSync('sh', ['-c', `. "$0"; printf %s "$${name}"`, file], { encoding: 'utf8' })).toBe(value);
    }
    expect(execFileSync('sh', ['-c', '. "$0"; printf %s "$FORGED"', file], { encoding: 'utf8' })).toBe('');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('env uses no backslash where quotes alone will do, as readers differ in what it means', () => {
  const lines = FORMATS.env.write(
    new Map([
      ['A', 'x'],
      ['B', 'a"$b\\'],
      ['C', "it's"],
    ]),
  );
  expect(lines).toBe(`A="x"\nB='a"$b\\'\nC="it's"\n`);
});

test('json and yaml, read again, give exactly the values, as text', () => {
  expect(JSON.parse(FORMATS.json.write(HARD))).toEqual(Object.fromEntries(HARD));
  expect(parse(FORMATS.yaml.write(HARD))).toEqual(Object.fromEntries(HARD));
  expect(parse(FORMATS.yaml.write(new Map()))).toEqual({});
});

test.each(['docker', 'env-no-quotes'] as const)('in %s no value can forge another entry', (format) => {
  const lines = FORMATS[format].write(HARD).trimEnd().split('\n');
  expect(lines.map((line) => line.split('=', 1)[0])).toEqual([...HARD.keys()]);
  expect(lines).toContain('LINES=first\\nsecond\\n\\nFORGED=1');
  expect(lines).toContain('DOUBLE=say "hi"');
});

test.each([
  ['upper-camel', 'ApiKey', 'SmtpUserName'],
  ['camel', 'apiKey', 'smtpUserName'],
  ['lower-kebab', 'api-key', 'smtp-user-name'],
  ['lower-snake', 'api_key', 'smtp__user_name'],
  ['tf-var', 'TF_VAR_api_key', 'TF_VAR_smtp__user_name'],
  ['dotnet-env', 'ApiKey', 'Smtp__UserName'],
  ['dotnet', 'ApiKey', 'Smtp:UserName'],
] as const)('%s turns API_KEY into %s and SMTP__USER_NAME into %s', (transformer, key, user) => {
  expect([...transformNames(['API_KEY', 'SMTP__USER_NAME'], transformer).values()]).toEqual([key, user]);
});

test('two names that would become one are refused', () => {
  for (const transformer of Object.keys(TRANSFORMERS) as Transformer[]) {
    const names = ['A_B', transformer === 'lower-snake' || transformer === 'tf-var' ? 'a_b' : 'A_B_'];
    expect(() => transformNames(names, transformer)).toThrow('would both be handed out as');
  }
});
