import { checkTtlRange, formatTtl, MAX_TTL_MS, parseTtl, TtlError } from '../../../workflows/ttl';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

function refusalOf(value: unknown): string {
  try {
    parseTtl(value);
  } catch (error) {
    if (error instanceof TtlError) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a TTL', () => {
  test.each<[string | number, number]>([
    ['1s', SECOND],
    ['90s', 90 * SECOND],
    ['15m', 900 * SECOND],
    ['1h30m', 1.5 * HOUR],
    ['12h', 12 * HOUR],
    ['7d', 7 * DAY],
    ['1d12h', 36 * HOUR],
    ['1d1h1m1s', DAY + HOUR + 61 * SECOND],
    ['1h0m0s', HOUR],
    ['1h90m', 2.5 * HOUR],
    ['90', 90 * SECOND],
    [90, 90 * SECOND],
    [1, SECOND],
    ['365d', MAX_TTL_MS],
    [365 * 86_400, MAX_TTL_MS],
  ])('%p is %p ms', (written, ms) => {
    expect(parseTtl(written)).toBe(ms);
  });

  test.each<[unknown]>([
    [0],
    ['0'],
    ['0s'],
    ['0d0h0m0s'],
    [-0],
    [-1],
    ['-5m'],
    [1.5],
    [0.5],
    ['1.5'],
    ['1.5h'],
    ['1,5h'],
    [NaN],
    ['NaN'],
    [Infinity],
    [-Infinity],
    ['Infinity'],
    ['1e9'],
    ['1e3'],
    ['+5'],
    ['+5m'],
    [''],
    [' '],
    [' 5m'],
    ['5m '],
    ['5m\n'],
    ['5 m'],
    ['1h 30m'],
    ['5x'],
    ['5w'],
    ['5ms'],
    ['5M'],
    ['5min'],
    ['m'],
    ['h30m'],
    ['30m1h'],
    ['10m10m'],
    ['1h1h'],
    ['1h30'],
    ['007'],
    ['05m'],
    ['0x10'],
    ['1_000'],
    ['٥m'],
    ['５m'],
    ['5m\u0000'],
    ['P1D'],
    ['366d'],
    ['9999999d'],
    ['9007199254740993'],
    ['99999999999999999999999s'],
    [Number.MAX_SAFE_INTEGER],
    [Number.MAX_VALUE],
    [1e9],
    [null],
    [undefined],
    [true],
    [[]],
    [['5m']],
    [{}],
    [{ toString: () => '5m' }],
    [5n],
    [Symbol('5m')],
    [() => 5],
  ])('%p is refused with what is allowed', (written) => {
    expect(refusalOf(written)).toMatch(
      /Allowed are durations such as 90s, 15m, 1h30m.*whole seconds, from 1s to 365d\.$/,
    );
  });

  test.each([400, 100_000])('of %p digits is refused', (digits) => {
    expect(refusalOf('9'.repeat(digits))).toMatch(/is not a duration|is longer/);
    expect(refusalOf(`${'9'.repeat(digits)}s`)).toMatch(/is not a duration|is longer/);
  });

  test('says what is wrong', () => {
    expect(refusalOf('0s')).toMatch(/^"0s" is not more than 0\./);
    expect(refusalOf(-5)).toMatch(/^-5 is not more than 0\./);
    expect(refusalOf(1.5)).toMatch(/^1\.5 has a fraction of a second\./);
    expect(refusalOf('366d')).toMatch(/^"366d" is longer than 365d\./);
    expect(refusalOf('soon')).toMatch(/^"soon" is not a duration\./);
    expect(refusalOf(null)).toMatch(/^null is not a duration\./);
    expect(refusalOf(['5m'])).toMatch(/^a list is not a duration\./);
  });

  test('is repeated in the refusal only shortened and without characters that do something', () => {
    const message = refusalOf(`5m"\n\u001b[31m\u202e\u0300${'x'.repeat(5_000)}`);
    expect(message).toMatch(/^[\p{L}\p{N}\p{P}\p{S} ]+$/u);
    expect(message.length).toBeLessThan(250);
    expect(refusalOf('\u{1F511}'.repeat(100))).not.toContain('\ufffd');
  });
});

test.each([
  [SECOND, '1s'],
  [90 * SECOND, '1m30s'],
  [1.5 * HOUR, '1h30m'],
  [DAY, '1d'],
  [36 * HOUR, '1d12h'],
  [MAX_TTL_MS, '365d'],
  [1_999, '1s'],
  [999, '0s'],
  [0, '0s'],
])('%p ms are written %p', (ms, text) => {
  expect(formatTtl(ms)).toBe(text);
});

test('what is written is read back', () => {
  for (let seconds = 1; seconds < 365 * 86_400; seconds = seconds * 3 + 7) {
    expect(parseTtl(formatTtl(seconds * SECOND))).toBe(seconds * SECOND);
  }
});

describe('the range of a TTL', () => {
  test.each([[60 * SECOND], [60 * SECOND + 1], [HOUR]])('%p ms are within one minute to one hour', (ms) => {
    expect(checkTtlRange(ms, 60 * SECOND, HOUR)).toBeNull();
  });

  test.each([
    [0],
    [-1],
    [60 * SECOND - 1],
    [HOUR + 1],
    [NaN],
    [Infinity],
    [60_000.5],
    ['60000' as never],
    [null as never],
  ])('%p ms are not, and the refusal names the range', (ms) => {
    expect(checkTtlRange(ms, 60 * SECOND, HOUR)).toMatch(/from 1m to 1h\.$/);
  });

  test('names the TTL that was asked for', () => {
    expect(checkTtlRange(2 * HOUR, 60 * SECOND, HOUR)).toBe('A TTL of 2h is not allowed: it must be from 1m to 1h.');
  });
});
