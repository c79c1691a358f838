import { chooseCases } from '../../integrations/matrix';
import { isFull } from '../../support/full';

const letters = (count: number, from: string): string[] =>
  Array.from({ length: count }, (_, nth) => String.fromCharCode(from.charCodeAt(0) + nth));

test.each([
  [12, 18],
  [12, 12],
  [12, 4],
  [3, 14],
  [2, 1],
])('of %d kinds and %d calls each is tried', (kinds, calls) => {
  const chosen = chooseCases(
    letters(kinds, 'A'),
    () => letters(calls, 'a'),
    () => false,
  );
  expect([...chosen.values()].filter((cases) => cases.length === 0)).toEqual([]);
  expect(new Set([...chosen.values()].flat()).size).toBe(calls);
  const pairs = [...chosen.values()].flat().length;
  expect(pairs).toBe(isFull ? kinds * calls : Math.max(kinds, calls));
});

test('what is dangerous is never left out', () => {
  const chosen = chooseCases(
    ['A', 'B', 'C'],
    () => letters(9, 'a'),
    (name, each) => name === 'A' && each > 'e',
  );
  expect(chosen.get('A')).toEqual(expect.arrayContaining(['f', 'g', 'h', 'i']));
});

test('of a path without calls nothing is tried', () => {
  const chosen = chooseCases(
    ['A', 'B'],
    () => [],
    () => true,
  );
  expect([...chosen.values()].flat()).toEqual([]);
});
