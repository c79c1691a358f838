import { distributionOf, formatMs, formatRatio, median } from '../../../bench/statistics';

const UP_TO_100 = Array.from({ length: 100 }, (_, index) => 100 - index);

test('percentiles are samples that were measured', () => {
  expect(distributionOf(UP_TO_100)).toEqual({ count: 100, min: 1, mean: 50.5, p50: 50, p95: 95, p99: 99, max: 100 });
  expect(distributionOf([10, 2, 1])).toEqual({ count: 3, min: 1, mean: 13 / 3, p50: 2, p95: 10, p99: 10, max: 10 });
  expect(distributionOf([7])).toEqual({ count: 1, min: 7, mean: 7, p50: 7, p95: 7, p99: 7, max: 7 });
});

test('samples are ordered as numbers, and stay as they were', () => {
  const samples = [100, 9, 20];
  expect(distributionOf(samples)).toMatchObject({ min: 9, p50: 20, max: 100 });
  expect(samples).toEqual([100, 9, 20]);
});

test('the median of an even number of samples is between the two in the middle', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([9, 1, 2])).toBe(2);
});

test('of nothing, or of what is no number, no figure is told', () => {
  for (const tell of [distributionOf, median]) {
    expect(() => tell([])).toThrow('Nothing was measured');
    expect(() => tell([1, Number.NaN, 3])).toThrow('no number');
  }
});

test.each([
  [0.123, '0.12 ms'],
  [8.314, '8.31 ms'],
  [9.996, '10.0 ms'],
  [12.34, '12.3 ms'],
  [99.96, '100 ms'],
  [1_234.4, '1234 ms'],
  [9_999.6, '10.0 s'],
  [24_120, '24.1 s'],
  [123_456, '123 s'],
  [-12.34, '-12.3 ms'],
])('%d ms is written %s', (ms, written) => {
  expect(formatMs(ms)).toBe(written);
});

test('a ratio tells how many times the second the first is', () => {
  expect(formatRatio(127, 100)).toBe('1.27 x');
  expect(formatRatio(1, 3)).toBe('0.33 x');
  for (const none of [0, Number.NaN]) expect(() => formatRatio(1, none)).toThrow('No ratio');
});
