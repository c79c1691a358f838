import type { OfferedSecret } from '../../../client/http';
import { areDynamic, handedOut, select } from '../../../cli/selection';
import { flatNames } from '../../../flat/names';

const CONTENTS = {
  statics: { project: 'backend', config: 'prd', values: { LOG_LEVEL: 'info', HOST: 'h' } },
  offered: [offer('S3', ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY']), offer('DB', ['URL'])],
};

function offer(dynamicSecret: string, fields: readonly string[]): OfferedSecret {
  const ttls = { defaultTtlMs: 1_000, minTtlMs: 1_000, maxTtlMs: 1_000 };
  return {
    project: 'backend',
    config: 'prd',
    dynamicSecret,
    fields,
    flatNames: flatNames(dynamicSecret, fields),
    ...ttls,
  };
}

function chosen(only?: readonly string[]): unknown {
  const { statics, dynamics } = select(CONTENTS, only);
  return [statics, Object.fromEntries(dynamics.map(({ secret, names }) => [secret.dynamicSecret, names]))];
}

const S3 = ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY', 'S3_LEASE_ID', 'S3_LEASE_EXPIRES_AT'];
const DB = ['DB_URL', 'DB_LEASE_ID', 'DB_LEASE_EXPIRES_AT'];

test('without a list everything is meant', () => {
  expect(chosen()).toEqual([['LOG_LEVEL', 'HOST'], { S3, DB }]);
  expect(handedOut(select(CONTENTS, undefined))).toEqual(['LOG_LEVEL', 'HOST', ...S3, ...DB]);
});

test('a dynamic secret is named by its own name, or by names under which it is handed out', () => {
  expect(chosen(['S3', 'HOST'])).toEqual([['HOST'], { S3 }]);
  expect(chosen(['DB', 'DB_URL'])).toEqual([[], { DB }]);
  expect(chosen([])).toEqual([[], {}]);
});

test('beside one of its names only the id and the end of the lease are handed out', () => {
  expect(chosen(['S3_ACCESS_KEY_ID'])).toEqual([
    [],
    { S3: ['S3_ACCESS_KEY_ID', 'S3_LEASE_ID', 'S3_LEASE_EXPIRES_AT'] },
  ]);
  expect(chosen(['DB_LEASE_ID', 'LOG_LEVEL', 'LOG_LEVEL'])).toEqual([
    ['LOG_LEVEL'],
    { DB: ['DB_LEASE_ID', 'DB_LEASE_EXPIRES_AT'] },
  ]);
});

test('names that are not there are told, ten of them at most', () => {
  expect(() => select(CONTENTS, ['S3', 'S3_URL', 'toString'])).toThrow(
    /^backend\/prd has no secret "S3_URL", "toString", or/,
  );
  const many = Array.from({ length: 12 }, (_, index) => `N${index}`);
  expect(() => select(CONTENTS, many)).toThrow(/"N9" and 2 more, or/);
});

test('whether names are of dynamic secrets alone is known without the static ones', () => {
  const { offered } = CONTENTS;
  expect(areDynamic(['S3', 'DB_URL', 'DB_LEASE_ID'], offered)).toBe(true);
  expect(areDynamic(['S3', 'HOST'], offered)).toBe(false);
});
