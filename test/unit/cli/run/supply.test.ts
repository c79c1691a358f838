import { inEnvironment } from '../../../../cli/run/delivery';
import { childEnvironment } from '../../../../cli/run/environment';
import { createNotices } from '../../../../cli/run/notices';

test('the existing variables keep their order, and what secrets add comes after them, by name', () => {
  const base = { Z: '1', A: '2', LEASEHOLD_TOKEN: 'token', LEASEHOLD_TOKEN_FILE: 'file', M: '3' };
  const secrets = new Map(Object.entries({ Y: 'y', A: 'secret', B: 'b', PATH: 'no', DYLD_X: 'no' }));
  const { variables, withheld } = childEnvironment(base, secrets);
  expect(Object.entries(variables).join(' ')).toBe('Z,1 A,secret M,3 B,b Y,y');
  expect(withheld).toEqual(['DYLD_X', 'PATH']);
});

test.each([
  'NODE_OPTIONS',
  'PYTHONPATH',
  'PERL5OPT',
  'RUBYOPT',
  'JAVA_TOOL_OPTIONS',
  'GIT_SSH_COMMAND',
  'GIT_CONFIG_COUNT',
  'LUA_INIT_5_4',
  'ENV',
])('a secret by which programs run code, as %s, is handed out to those alone that ask for it by name', (name) => {
  const secrets = new Map([
    [name, 'evil'],
    ['PLAIN', 'x'],
  ]);
  expect(childEnvironment({ [name]: 'own' }, secrets)).toEqual({
    variables: { [name]: 'own', PLAIN: 'x' },
    withheld: [name],
  });
  const asked = childEnvironment({}, secrets, [], [name, 'PLAIN']);
  expect(asked).toEqual({ variables: { [name]: 'evil', PLAIN: 'x' }, withheld: [] });
});

test('what breaks a program before it begins is not handed out, whoever asks for it', () => {
  const names = ['PATH', 'HOME', 'BASH_ENV', 'LD_PRELOAD', 'DYLD_X'];
  const secrets = new Map(names.map((name) => [name, 'evil']));
  expect(childEnvironment({}, secrets, [], names)).toEqual({ variables: {}, withheld: [...names].sort() });
});

test('names that only begin like those are handed out as ever', () => {
  const secrets = new Map(['ENVIRONMENT', 'GIT_TOKEN', 'NODE_ENV', 'PAGERDUTY_KEY', 'LUA'].map((name) => [name, 'x']));
  expect(childEnvironment({}, secrets).withheld).toEqual([]);
});

test('what is withheld is told once, of what is leased as well', async () => {
  const said: string[] = [];
  const notices = createNotices((sentence) => said.push(sentence));
  const statics = new Map([
    ['NODE_OPTIONS', 'evil'],
    ['PLAIN', 'x'],
  ]);
  const delivery = inEnvironment(statics, { preserve: undefined, asked: undefined }, notices);
  for (const value of ['old', 'fresh']) {
    await delivery.hand(
      new Map([
        ['GIT_PAGER', value],
        ['GIT_LEASE_ID', value],
      ]),
    );
    expect(delivery.environment()).toMatchObject({ PLAIN: 'x', GIT_LEASE_ID: value });
    expect(delivery.environment()['GIT_PAGER']).toBe(process.env['GIT_PAGER']);
  }
  expect(said.map((sentence) => sentence.split(': ')[1])).toEqual(['NODE_OPTIONS.', 'GIT_PAGER.']);
});

test('variables that are preserved win, all or those named, and only a name lets our token through', () => {
  const base = { A: '1', B: '2', LEASEHOLD_TOKEN: 'token' };
  const secrets = new Map(Object.entries({ A: 'a', B: 'b' }));
  expect(childEnvironment(base, secrets, true).variables).toEqual({ A: '1', B: '2' });
  expect(childEnvironment(base, secrets, ['B']).variables).toEqual({ A: 'a', B: '2' });
  expect(childEnvironment(base, secrets, ['LEASEHOLD_TOKEN']).variables).toEqual({
    A: 'a',
    B: 'b',
    LEASEHOLD_TOKEN: 'token',
  });
});

test('what cannot stand in an environment is refused by name, without its value', () => {
  expect(() => childEnvironment({}, new Map([['KEY', 'canary\0x']]))).toThrow(
    /^The value of KEY holds a NUL byte(?!.*canary)/,
  );
  for (const name of ['', 'A=B', 'A\0']) {
    expect(() => childEnvironment({}, new Map([[name, 'x']]))).toThrow('cannot be the name of a variable');
  }
});

test('a trouble is said once until it is over, and that only after one', () => {
  const said: string[] = [];
  const notices = createNotices((sentence) => said.push(sentence));
  notices.over('A', 'over 0');
  for (const n of [1, 2]) notices.trouble('A', 'away', 'A: ', `away ${n}`);
  notices.trouble('A', 'refused', 'A: ', 'refused');
  for (const n of [1, 2]) notices.over('A', `over ${n}`);
  notices.trouble('A', 'away', 'A: ', 'away again');
  expect(said).toEqual(['A: away 1', 'A: refused', 'over 1', 'A: away again']);
});

test('what is the same of many is said of one, and that it is over when that is so of all', () => {
  const said: string[] = [];
  const notices = createNotices((sentence) => said.push(sentence));
  const leases = Array.from({ length: 50 }, (_, index) => `S${index}`);
  const id = (name: string): string => name.toLowerCase().replace(/[0-9]/g, 'x').padEnd(24, 'a');
  for (const name of leases) notices.trouble(name, 'Unavailable', `${name}: `, 'cannot be reached');
  for (const name of leases) notices.trouble(name, 'Timeout', `${name}: `, `no answer of lease ${id(name)}`);
  notices.trouble('S7', 'Refused', 'S7: ', 'no such user');
  expect(said.splice(0)).toEqual(['S0: cannot be reached', `S0: no answer of lease ${id('S0')}`, 'S7: no such user']);
  for (const name of leases) notices.over(name, 'over');
  expect(said).toEqual(['over']);
});
