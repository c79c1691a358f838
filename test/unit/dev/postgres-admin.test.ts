import { cannotUse, inDatabase, namedPostgres } from '../../../dev/postgres-admin';
import { PrerequisiteError } from '../../../dev/prerequisites';

const LOGIN = 'admin:canary%40word';

test.each([
  [`postgresql://${LOGIN}@db.example.com/app`, 'db.example.com', 5432, 'disable', null],
  [`postgres://${LOGIN}@[::1]:6543/app?sslmode=require`, '::1', 6543, 'require', null],
  [`postgres://${LOGIN}@db/app?sslmode=verify-ca&sslrootcert=/ca.pem`, 'db', 5432, 'verify-ca', '/ca.pem'],
])('the URL %s names a server', (url, host, port, mode, ca) => {
  const named = namedPostgres(url);
  expect(named).toMatchObject({ host, port, tls: { mode, ca } });
  expect(inDatabase(named!.url, 'other')).toContain(`${LOGIN}@`);
  expect(new URL(inDatabase(named!.url, 'other')).pathname).toBe('/other');
});

test.each([undefined, ''])('%j names none', (nothing) => {
  expect(namedPostgres(nothing)).toBeNull();
});

test.each(['canary', 'mysql://admin:canary@db/app', 'postgresql:///app?password=canary', 'postgresql://db/canary'])(
  '%s is no such URL, and nothing of it is told',
  (url) => {
    const refused = (): string => {
      try {
        return JSON.stringify(namedPostgres(url));
      } catch (error) {
        return (error as PrerequisiteError).message;
      }
    };
    expect(refused()).toMatch(/^LEASEHOLD_DEV_POSTGRES_URL is no URL .*, or unset it\.$/);
    expect(refused()).not.toContain('canary');
  },
);

test('an sslmode that is not known is refused with those that are', () => {
  expect(() => namedPostgres(`postgresql://${LOGIN}@db/app?sslmode=prefer`)).toThrow(
    'Allowed: disable, require, verify-ca, verify-full.',
  );
});

test.each([
  ['28P01', 'it refuses the user or the password of that URL (28P01)'],
  ['3D000', 'it has no database of the name in that URL (3D000)'],
  ['42501', 'the user of that URL needs CREATEROLE and CREATEDB (42501)'],
  ['ECONNREFUSED', 'it gave no usable answer (ECONNREFUSED)'],
  ['code with canary', 'it gave no usable answer.'],
])('an error of the code %s is told without its message', (code, said) => {
  const { message } = cannotUse(Object.assign(new Error('canary'), { code }));
  expect(message).toContain(said);
  expect(message).not.toContain('canary');
});

test('what was said clearly already stays', () => {
  const clear = new PrerequisiteError('Another development stack uses it.');
  expect(cannotUse(clear)).toBe(clear);
});
