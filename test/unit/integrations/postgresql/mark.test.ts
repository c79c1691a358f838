import { assertOurs, readEstate, readMarks, writeComment } from '../../../../activities/integrations/postgresql/mark';
import type { Estate } from '../../../../activities/integrations/postgresql/handle';
import { parseHandle, readHandle } from '../../../../activities/integrations/postgresql/handle';

const MARK = { deployment: 'abcdefgh', leaseId: 'abcdefghijklmnopqrstuvwx' };
const HANDLE = { role: `leasehold-${MARK.deployment}-${MARK.leaseId}`, estate: { owned: 'drop' } } as const;
const EXPIRY = new Date('2031-02-03T04:05:06.789Z');

test('what is written into a comment is read from it', () => {
  const text = writeComment(MARK, EXPIRY, { owned: 'reassign', owner: 'o"\'wner' });
  expect(readMarks(text)).toEqual({ ...MARK, expiresAt: EXPIRY });
  expect(readEstate(text)).toEqual({ owned: 'reassign', owner: 'o"\'wner' });
  assertOurs(text, HANDLE, MARK);
});

test('no two comments are the same, so that a late change can tell', () => {
  const estate = { owned: 'drop' } as const;
  expect(writeComment(MARK, EXPIRY, estate)).not.toBe(writeComment(MARK, EXPIRY, estate));
});

test.each([null, '', 'a comment', '{}', '[]', 'null', '{"managed-by":"somebody","deployment":"abcdefgh","lease":"x"}'])(
  'the comment %j is none of ours',
  (text) => {
    expect(readMarks(text)).toEqual({ deployment: null, leaseId: null, expiresAt: null });
    expect(readEstate(text)).toEqual({ owned: 'reassign', owner: null });
    expect(() => {
      assertOurs(text, HANDLE, MARK);
    }).toThrow('not touched');
  },
);

test('a comment whose expiry cannot be read still says whose role it is', () => {
  const text = '{"managed-by":"leasehold","deployment":"abcdefgh","lease":"x","expires-at":"soon","owned":"burn"}';
  expect(readMarks(text)).toEqual({ deployment: 'abcdefgh', leaseId: 'x', expiresAt: null });
  expect(readEstate(text)).toEqual({ owned: 'reassign', owner: null });
});

test.each<[string, string, Estate]>([
  ['nothing of it', '', { owned: 'reassign', owner: 'planned' }],
  ['no heir', '"owned":"reassign"', { owned: 'reassign', owner: 'planned' }],
  ['an heir that is no name', '"owned":"reassign","owner":7', { owned: 'reassign', owner: 'planned' }],
  ['that nobody is to get it', '"owned":"reassign","owner":null', { owned: 'reassign', owner: null }],
  ['another heir', '"owned":"reassign","owner":"other"', { owned: 'reassign', owner: 'other' }],
  ['that it is dropped', '"owned":"drop"', { owned: 'drop' }],
])('of a comment that says %s, what is missing is as it was planned', (_, said, estate) => {
  const text = `{"managed-by":"leasehold","deployment":"abcdefgh","lease":"x"${said === '' ? '' : `,${said}`}}`;
  expect(readEstate(text, { owned: 'reassign', owner: 'planned' })).toEqual(estate);
});

test('a handle of another lease, or of nothing, goes no further', () => {
  const handle = { role: HANDLE.role, owned: 'drop', owner: null };
  expect(readHandle(handle, MARK, 'DropRole')).toEqual(HANDLE);
  expect(() => readHandle(handle, { ...MARK, leaseId: 'b'.repeat(24) }, 'DropRole')).toThrow('not of this lease');
  expect(() => parseHandle({ userName: 'x' }, 'DropRole')).toThrow('names no role');
});

test.each(['*/ CREATE ROLE evil LOGIN; /*', 'a b', "o'clock", 'a\nb', ''])(
  'a handle that somebody wrote by hand and whose role begins with %j goes no further, whatever it ends with',
  (prefix) => {
    const role = `${prefix}-${MARK.deployment}-${MARK.leaseId}`;
    expect(() => readHandle({ role, owned: 'drop', owner: null }, MARK, 'DropRole')).toThrow('not of this lease');
  },
);
