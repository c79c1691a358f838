import { childEnvironment } from '../../../../cli/run/environment';
import { createNotices } from '../../../../cli/run/notices';
import { areDynamic, checkTtls, select } from '../../../../cli/run/selection';
import type { OfferedSecret } from '../../../../client/http';

const offered = (dynamicSecret: string, maxTtlMs = 60_000): OfferedSecret => ({
  project: 'backend',
  config: 'prd',
  dynamicSecret,
  fields: ['USER', 'PASSWORD'],
  flatNames: ['USER', 'PASSWORD', 'LEASE_ID', 'LEASE_EXPIRES_AT'].map((field) => `${dynamicSecret}_${field}`),
  defaultTtlMs: 10_000,
  minTtlMs: 1_000,
  maxTtlMs,
});

test('the existing variables keep their order, and what secrets add comes after them, by name', () => {
  const base = { Z: '1', A: '2', LEASEHOLD_TOKEN: 'token', LEASEHOLD_TOKEN_FILE: 'file', M: '3' };
  const secrets = new Map(Object.entries({ Y: 'y', A: 'secret', B: 'b', PATH: 'no', DYLD_X: 'no' }));
  const { variables, withheld } = childEnvironment(base, secrets);
  expect(Object.entries(variables).join(' ')).toBe('Z,1 A,secret M,3 B,b Y,y');
  expect(withheld).toEqual(['DYLD_X', 'PATH']);
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

test('a dynamic secret stands for all its names, and one of them for itself with the id and the end', () => {
  const names = (chosen: readonly string[] | undefined): unknown => {
    const { statics, dynamics } = select(chosen, ['PLAIN', 'OTHER'], [offered('ONE'), offered('TWO')]);
    return [statics, ...dynamics.map((each) => [...each.names].join(' '))];
  };
  const all = (name: string): string => offered(name).flatNames.join(' ');
  expect(names(undefined)).toEqual([['PLAIN', 'OTHER'], all('ONE'), all('TWO')]);
  expect(names(['TWO', 'OTHER'])).toEqual([['OTHER'], all('TWO')]);
  expect(names(['ONE_USER'])).toEqual([[], 'ONE_USER ONE_LEASE_ID ONE_LEASE_EXPIRES_AT']);
  expect(() => names(['PLAIN', 'THREE', 'FOUR'])).toThrow('no secret "THREE", "FOUR" here');
  expect(areDynamic(['ONE', 'TWO_USER'], [offered('ONE'), offered('TWO')])).toBe(true);
  expect(areDynamic(['ONE', 'PLAIN'], [offered('ONE')])).toBe(false);
});

test('a TTL must be in the range of each dynamic secret that is wanted', () => {
  const { dynamics } = select(undefined, [], [offered('ONE'), offered('TWO', 30_000)]);
  expect(() => {
    checkTtls(60, dynamics);
  }).toThrow(/^--ttl, for TWO: .*from 1s to 30s/);
  checkTtls(30, dynamics);
  checkTtls(undefined, dynamics);
});

test('a trouble is said once until it is over, and that only after one', () => {
  const said: string[] = [];
  const notices = createNotices((sentence) => said.push(sentence));
  notices.over('over 0');
  for (const n of [1, 2]) notices.trouble('away', `away ${n}`);
  notices.trouble('refused', 'refused');
  for (const n of [1, 2]) notices.over(`over ${n}`);
  notices.trouble('away', 'away again');
  expect(said).toEqual(['away 1', 'refused', 'over 1', 'away again']);
});
