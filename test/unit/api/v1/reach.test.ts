import { covers, requireReach } from '../../../../api/v1/reach';
import type { Identity } from '../../../../api/identity/identity';
import { readScope } from '../../../../config/rights';

function adminOf(...scopes: string[]): Identity {
  return {
    tokenId: 'token/a',
    holder: 'token:a',
    rights: new Set(['admin']),
    scopes: scopes.map(readScope),
    expiresAt: null,
    secret: null,
  };
}

test.each([
  ['*', {}, true],
  ['*', { project: 'a' }, true],
  ['*', { config: 'x' }, true],
  ['a/*', {}, false],
  ['a/*', { config: 'x' }, false],
  ['a/*', { project: 'a' }, true],
  ['a/*', { project: 'a', config: 'x' }, true],
  ['a/*', { project: 'b', config: 'x' }, false],
  ['a/x', { project: 'a' }, false],
  ['a/x', { project: 'a', config: 'x' }, true],
  ['a/x', { project: 'a', config: 'y' }, false],
  ['a/x', { config: 'x' }, false],
])('an admin of %s reaches all of %j: %s', (scope, reach, isReached) => {
  expect(covers(adminOf(scope), reach)).toBe(isReached);
});

test('several scopes reach what one of them does, not what they do together', () => {
  const admin = adminOf('a/x', 'a/y', 'b/*');
  expect(covers(admin, { project: 'a' })).toBe(false);
  expect(covers(admin, { project: 'a', config: 'y' })).toBe(true);
  expect(covers(admin, { project: 'b' })).toBe(true);
});

test('what lies outside is not found, and what is too wide is refused', () => {
  const admin = adminOf('a/x');
  const refused = (reach: object): unknown => {
    try {
      requireReach(admin, reach, 'Too wide.');
      return null;
    } catch (error) {
      return error;
    }
  };
  expect(refused({ project: 'b' })).toMatchObject({ status: 404 });
  expect(refused({ project: 'a', config: 'y' })).toMatchObject({ status: 404 });
  expect(refused({ project: 'a' })).toMatchObject({ status: 403, message: 'Too wide.' });
  expect(refused({})).toMatchObject({ status: 403, message: 'Too wide.' });
  expect(refused({ project: 'a', config: 'x' })).toBeNull();
});
