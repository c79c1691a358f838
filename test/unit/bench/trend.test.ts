import { secondHalfOf, slopeOf } from '../../../bench/trend';

test('the slope of points on a line is that of the line', () => {
  expect(
    slopeOf([
      [0, 100],
      [1, 103],
      [2, 106],
    ]),
  ).toBeCloseTo(3);
});

test('noise around a level is no growth', () => {
  expect(
    slopeOf([
      [0, 10],
      [1, 12],
      [2, 12],
      [3, 10],
    ]),
  ).toBeCloseTo(0);
});

test('points of one instant have no slope', () => {
  expect(slopeOf([])).toBeNull();
  expect(slopeOf([[1, 5]])).toBeNull();
  expect(
    slopeOf([
      [1, 5],
      [1, 6],
    ]),
  ).toBeNull();
});

test('the second half has the sample in the middle', () => {
  expect(secondHalfOf([1, 2, 3, 4])).toEqual([3, 4]);
  expect(secondHalfOf([1, 2, 3])).toEqual([2, 3]);
});
