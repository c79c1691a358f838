import { apportion } from '../../chaos/apportion';
import { randomOf } from '../../chaos/random';

function draws(seed: number, name: string): readonly number[] {
  const random = randomOf(seed, name);
  return Array.from({ length: 1_000 }, () => random.next());
}

test('a seed and a name give the same numbers each time, and another of either gives others', () => {
  expect(draws(1, 'issues')).toEqual(draws(1, 'issues'));
  expect(draws(1, 'issues')).not.toEqual(draws(2, 'issues'));
  expect(draws(1, 'issues')).not.toEqual(draws(1, 'faults'));
});

test('the numbers fill the span from 0 to below 1 evenly', () => {
  const tenths = Array.from({ length: 10 }, () => 0);
  for (const draw of draws(3, 'any')) tenths[Math.floor(draw * 10)]! += 1;
  for (const count of tenths) expect(Math.abs(count - 100)).toBeLessThan(45);
});

test('whole numbers include both ends, and a shuffled list has every element once', () => {
  const random = randomOf(5, 'any');
  expect(new Set(Array.from({ length: 200 }, () => random.whole(1, 3)))).toEqual(new Set([1, 2, 3]));
  const list = Array.from({ length: 50 }, (_, index) => index);
  const shuffled = random.shuffled(list);
  expect(shuffled).not.toEqual(list);
  expect(shuffled.toSorted((one, other) => one - other)).toEqual(list);
});

test('what is shared out by weight is exactly what there was, and every kind has some where there is enough', () => {
  const weights = { heavy: 90, light: 9, rare: 0.5, rarer: 0.5 };
  for (const total of [0, 1, 3, 4, 5, 10, 99, 1_000]) expect(apportion(total, weights)).toHaveLength(total);
  expect(new Set(apportion(4, weights)).size).toBe(4);
  expect(apportion(1_000, weights).filter((kind) => kind === 'heavy')).toHaveLength(900);
});
