import { fairnessKeyOf } from '../../../client/fairness';

const NOW = Date.parse('2026-11-26T23:59:30.500Z');

test('leases that end in the same minute share a turn, whenever they began', () => {
  expect(fairnessKeyOf(30_000, NOW)).toBe('ends 2026-11-27T00:00Z');
  expect(fairnessKeyOf(60_000, NOW)).toBe('ends 2026-11-27T00:00Z');
  expect(fairnessKeyOf(120_000, NOW - 90_000)).toBe('ends 2026-11-27T00:00Z');
  expect(fairnessKeyOf(90_000, NOW)).toBe('ends 2026-11-27T00:01Z');
});

test('those whose end the caller does not know share one if they begin in the same minute', () => {
  expect(fairnessKeyOf(null, NOW)).toBe('begins 2026-11-26T23:59Z');
});

test('a key is no longer than Temporal takes', () => {
  expect(Buffer.byteLength(fairnessKeyOf(null, NOW))).toBeLessThanOrEqual(64);
});
