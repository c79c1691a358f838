import { describeFilter, isMeant, sameFilter } from '../../../workflows/filter';

const LEASE = {
  holder: 'token:ci',
  project: 'backend',
  config: 'prd',
  dynamicSecret: 'TOKEN',
  integration: 'memory',
} as const;

test.each(Object.entries(LEASE))('a block of a %s refuses what has it and nothing else', (field, value) => {
  expect(isMeant({ [field]: value }, LEASE)).toBe(true);
  expect(isMeant({ [field]: `${value}x` }, LEASE)).toBe(false);
  expect(isMeant({ [field]: value.toUpperCase() }, { ...LEASE, [field]: value.toLowerCase() })).toBe(
    value.toUpperCase() === value.toLowerCase(),
  );
});

test('all that a block names must be so', () => {
  expect(isMeant({ holder: 'token:ci', project: 'backend' }, LEASE)).toBe(true);
  expect(isMeant({ holder: 'token:ci', project: 'frontend' }, LEASE)).toBe(false);
});

test('a filter that names nothing means nothing', () => {
  expect(isMeant({}, LEASE)).toBe(false);
});

test('filters are the same if they name the same', () => {
  expect(sameFilter({ holder: 'a', project: 'b' }, { project: 'b', holder: 'a' })).toBe(true);
  expect(sameFilter({ holder: 'a' }, { holder: 'a', project: 'b' })).toBe(false);
  expect(sameFilter({ entity: 'a' }, { entity: 'b' })).toBe(false);
});

test('a filter is told in words', () => {
  expect(describeFilter({ dynamicSecret: 'TOKEN', holder: 'token:ci' })).toBe('holder token:ci, dynamic secret TOKEN');
});
