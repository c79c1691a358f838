import { claimAt, findRule } from '../../../api/identity/claims';
import type { ClaimValue, RuleSettings } from '../../../config/load';

const rule = (path: readonly string[], values: readonly ClaimValue[]): RuleSettings => ({
  claims: [{ path, values }],
  subject: ['sub'],
  rights: ['read'],
  scopes: [],
});
const matches = (claim: unknown, ...values: ClaimValue[]): boolean =>
  findRule({ claim }, [rule(['claim'], values)]) !== undefined;

describe('a claim', () => {
  test.each<[unknown, ClaimValue]>([
    ['example/backend', 'example/backend'],
    ['refs/tags/v1.2', 'refs/tags/v*'],
    ['refs/tags/v1.2', 'refs/tags/*'],
    ['refs/tags/v1.2', 'refs/*/v*.*'],
    ['repo:example/backend:ref:refs/heads/main', 'repo:example/*:ref:refs/heads/main'],
    ['system:serviceaccount:backend:api', 'system:serviceaccount:backend:*'],
    ['aXbXb', 'a*b'],
    ['abab', 'a*b'],
    ['a.b+c', 'a.*c'],
    [['x', 'ops'], 'ops'],
    [5, 5],
    [true, true],
    ['Ä/ß', 'Ä/*'],
  ])('%j matches %j', (claim, value) => {
    expect(matches(claim, value)).toBe(true);
  });

  test.each<[unknown, ClaimValue]>([
    ['example/backend', 'example/backen'],
    ['example/backend-evil', 'example/backend'],
    ['evil-example/backend', 'example/backend'],
    ['Example/backend', 'example/backend'],
    // A star stands for something, and never for a further level.
    ['refs/tags/', 'refs/tags/*'],
    ['refs/tags/v', 'refs/tags/v*'],
    ['refs/heads/a/b', 'refs/heads/*'],
    ['repo:example/backend:pull_request', 'repo:example/*'],
    ['repo:example/x:ref:refs/heads/main', 'repo:*:ref:refs/heads/main'],
    ['repo:evil/x:environment:a:ref:refs/heads/main', 'repo:evil/x:*:ref:refs/heads/main'],
    ['ab', 'a*b'],
    ['abb', 'a*b*b'],
    ['abxc', 'a*b*c'],
    ['axbyc', 'a.b.c'],
    [5, '5'],
    ['5', 5],
    ['true', true],
    [1, true],
    [{ a: 'ops' }, 'ops'],
    [['x', ['ops']], 'ops'],
    [[], 'ops'],
    [null, 'null'],
    [undefined, 'undefined'],
  ])('%j does not match %j', (claim, value) => {
    expect(matches(claim, value)).toBe(false);
  });

  test('matches one of several values', () => {
    expect(matches('refs/heads/main', 'refs/heads/release', 'refs/heads/main')).toBe(true);
    expect(matches('refs/heads/dev', 'refs/heads/release', 'refs/heads/main')).toBe(false);
  });

  test('is compared in steps as many as it has characters', () => {
    const begun = Date.now();
    expect(matches('a'.repeat(14_000), `${'*a'.repeat(240)}*b`)).toBe(false);
    expect(Date.now() - begun).toBeLessThan(5_000);
  });

  test('is found inside others, by names of its own only', () => {
    const claims = { 'kubernetes.io': { namespace: 'backend' }, list: ['a'], kubernetes: { io: 'x' } };
    expect(claimAt(claims, ['kubernetes.io', 'namespace'])).toBe('backend');
    expect(claimAt(claims, ['kubernetes.io', 'namespace', 'length'])).toBeUndefined();
    expect(claimAt(claims, ['list', '0'])).toBeUndefined();
    expect(claimAt(claims, ['list', 'length'])).toBeUndefined();
    expect(claimAt(claims, ['constructor', 'name'])).toBeUndefined();
    expect(claimAt(claims, ['__proto__'])).toBeUndefined();
  });
});

test('all claims of a rule must match, and the first rule that matches decides', () => {
  const both: RuleSettings = {
    ...rule(['repository'], ['a/b']),
    claims: [
      { path: ['repository'], values: ['a/b'] },
      { path: ['ref'], values: ['main'] },
    ],
  };
  const one = rule(['repository'], ['a/b']);
  const again = rule(['repository'], ['a/*']);
  const rules = [both, one, again];
  expect(findRule({ repository: 'a/b', ref: 'main' }, rules)).toBe(both);
  expect(findRule({ repository: 'a/b', ref: 'dev' }, rules)).toBe(one);
  expect(findRule({ repository: 'a/c' }, rules)).toBe(again);
  expect(findRule({ ref: 'main' }, rules)).toBeUndefined();
});
