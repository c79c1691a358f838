import { readEnding } from '../../../workflows/ending';

test('a revoke without input is a revoke by unknown', () => {
  for (const nothing of [undefined, null, 7, true, [], {}, { by: 5, reason: {} }, { by: '', reason: '  ' }]) {
    expect(readEnding(nothing)).toEqual({ by: 'unknown', reason: null });
  }
});

test('a bare string is the reason', () => {
  expect(readEnding('key leaked')).toEqual({ by: 'unknown', reason: 'key leaked' });
});

test('who asked and why are kept, on one line and not too long', () => {
  expect(readEnding({ by: 'ada', reason: 'a\nb\u2028c\u202Ed\u0000e' })).toEqual({ by: 'ada', reason: 'a b c d e' });
  const long = readEnding({ by: '\u{1F511}'.repeat(300), reason: 'x'.repeat(5_000) });
  expect(Array.from(long.by)).toHaveLength(200);
  expect(long.reason).toHaveLength(200);
});

test('an object that throws when read cannot come by wire, and a nested one is ignored', () => {
  expect(readEnding({ by: { toString: () => 'eve' }, reason: ['x'] })).toEqual({ by: 'unknown', reason: null });
});
