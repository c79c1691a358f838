import { formatCount, formatSpan, progressLine } from '../../../bench/progress';

test('progress tells how many there are, at what rate and how long the rest takes', () => {
  expect(progressLine({ what: 'leases sleep', from: 1_000, to: 10_000, done: 3_000, elapsedMs: 60_000 })).toBe(
    '4,000 of 10,000 leases sleep, 50 a second, 2 min to go',
  );
});

test('nothing is foretold before anything is done', () => {
  expect(progressLine({ what: 'leases sleep', from: 0, to: 50, done: 0, elapsedMs: 10_000 })).toBe(
    '0 of 50 leases sleep',
  );
});

test.each([
  [400, '1 s'],
  [45_000, '45 s'],
  [89_500, '90 s'],
  [1_000_000, '17 min'],
])('%d ms are told as %s', (ms, told) => {
  expect(formatSpan(ms)).toBe(told);
});

test('thousands are set apart', () => {
  expect(formatCount(50_000)).toBe('50,000');
});
