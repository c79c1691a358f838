import { parse } from 'yaml';
import { verifyToken } from '../../../../api/identity/token';
import { tokenCommand } from '../../../../cli/commands/token';
import { load } from '../../../support/config-text';

interface Said {
  readonly code: typeof process.exitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `leasehold token create` prints where. */
async function create(...args: string[]): Promise<Said> {
  const said = { stdout: '', stderr: '' };
  const before = process.exitCode;
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    jest.spyOn(process[stream], 'write').mockImplementation((text) => {
      said[stream] += String(text);
      return true;
    }),
  );
  try {
    await tokenCommand().parseAsync(['create', ...args], { from: 'user' });
    return { code: process.exitCode, ...said };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}

/** The entry that was printed, as an API reads it from its configuration. */
function configured({ stderr }: Said) {
  const [fragment = ''] = /^access:\n(?: +.*\n)+/m.exec(stderr) ?? [];
  return load(`version: 1\nprojects: {backend: {configs: {prd: {}}}}\n${fragment}`).access;
}

const DAY = 86_400_000;

test('standard output gets the token alone, standard error an entry by which it is valid, and no secret', async () => {
  const said = await create('ci', '--scope', 'backend/prd');
  expect(said.code).toBe(0);
  expect(said.stdout).toMatch(/^lht\.ci\.[a-z2-7]{52}\n$/);
  const token = said.stdout.trim();
  expect(said.stderr).not.toContain(token.split('.')[2]);
  expect(said.stderr).toContain('does not expire');
  expect(configured(said).tokens['ci']).toMatchObject({ subject: 'ci', rights: ['read', 'lease', 'revoke-own'] });
  expect(verifyToken(token, configured(said))).toMatchObject({
    tokenId: 'token/ci',
    holder: 'token:ci',
    scopes: [{ project: 'backend', config: 'prd' }],
    expiresAt: null,
  });
  expect((await create('ci', '--scope', 'backend/prd')).stdout).not.toBe(said.stdout);
});

test('what was asked for is in the entry', async () => {
  const begun = Date.now();
  const said = await create(
    ...['ci-2027', '--scope', 'backend/*', '--scope', '*', '--scope', '*', '--right', 'read', '--right', 'lease'],
    ...['--expires', '90d', '--subject', 'ci'],
  );
  const { expiresAt, ...identity } = verifyToken(said.stdout.trim(), configured(said))!;
  expect(identity).toMatchObject({
    tokenId: 'token/ci-2027',
    holder: 'token:ci',
    rights: new Set(['read', 'lease']),
    scopes: [
      { project: 'backend', config: '*' },
      { project: '*', config: '*' },
    ],
  });
  expect(expiresAt!.getTime()).toBeGreaterThan(begun + 90 * DAY - 1_001);
  expect(expiresAt!.getTime()).toBeLessThan(Date.now() + 90 * DAY);
  expect(said.stderr).toContain(`The token ends at ${expiresAt!.toISOString().replace('.000', '')}.`);
  const at = await create('ci', '--scope', '*', '--expires-at', '2100-01-31T00:00:00+01:00');
  expect(configured(at).tokens['ci']?.expiresAt).toEqual(new Date('2100-01-30T23:00:00Z'));
});

test('as JSON it is one line on standard output, for programs', async () => {
  const { code, stdout, stderr } = await create('ci', '--scope', 'backend/prd', '--json');
  expect({ code, stderr, lines: stdout.split('\n').length }).toEqual({ code: 0, stderr: '', lines: 2 });
  const { name, token, config } = JSON.parse(stdout) as { name: string; token: string; config: object };
  expect(name).toBe('ci');
  const text = JSON.stringify({ version: 1, projects: { backend: { configs: { prd: {} } } }, ...config });
  expect(verifyToken(token, load(text).access)?.holder).toBe('token:ci');
  expect(parse(stdout)).toEqual(JSON.parse(stdout));
});

test.each<[string[], RegExp]>([
  [['ci'], /^--scope is missing/],
  [['Ci', '--scope', '*'], /^The name must be 1 to 63 of a-z/],
  [['a.b', '--scope', '*'], /^The name must be/],
  [['', '--scope', '*'], /^The name must be/],
  [['a'.repeat(64), '--scope', '*'], /^The name must be/],
  [['ci', '--scope', 'backend'], /^--scope must be project\/config, project\/\* or \*/],
  [['ci', '--scope', '*', '--right', 'write'], /^--right must be read or lease or revoke-own or admin/],
  [['ci', '--scope', '*', '--subject', 'a b'], /^--subject must be 1 to 150 printable/],
  [['ci', '--scope', '*', '--expires', '90x'], /^--expires: "90x" is not a duration/],
  [['ci', '--scope', '*', '--expires', '0s'], /^--expires: /],
  [['ci', '--scope', '*', '--expires', '366d'], /^--expires: "366d" is longer than 365d/],
  [['ci', '--scope', '*', '--expires-at', '2030-01-31'], /^--expires-at must be an instant/],
  [['ci', '--scope', '*', '--expires-at', '2020-01-31T00:00:00Z'], /^The token would have ended by now/],
  [['ci', '--scope', '*', '--expires', '1d', '--expires-at', '2030-01-31T00:00:00Z'], /cannot both be given/],
  [['ci', '--scope', 'x', '--right', 'y'], /^--right .*\n--scope .*\n$/],
])('%j is refused with what is allowed, and no token is printed', async (args, sentence) => {
  const { code, stdout, stderr } = await create(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(sentence);
});
