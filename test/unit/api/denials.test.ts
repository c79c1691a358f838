import { boundDenials } from '../../../api/denials';

test('the first few of a source in a minute get lines of their own, the rest one line when it is over', async () => {
  jest.useFakeTimers();
  try {
    const told: [string | null, number][] = [];
    const denials = boundDenials({ summarise: async (...line) => void told.push(line) });
    const flood = (source: string) => Array.from({ length: 8 }, () => denials.note(source));
    expect(flood('203.0.113.1')).toEqual([true, true, true, true, true, false, false, false]);
    expect(denials.note('203.0.113.2')).toBe(true);
    await jest.advanceTimersByTimeAsync(61_000);
    expect(told).toEqual([['203.0.113.1', 3]]);
    expect(flood('203.0.113.1')[0]).toBe(true);
    await jest.advanceTimersByTimeAsync(61_000);
    expect(told).toHaveLength(2);
  } finally {
    jest.useRealTimers();
  }
});

test('a flood from ever other sources is bounded too', async () => {
  const told: [string | null, number][] = [];
  const denials = boundDenials({ summarise: async (...line) => void told.push(line) });
  let lines = 0;
  for (let host = 0; host < 10_000; host += 1) lines += denials.note(`2001:db8::${host.toString(16)}`) ? 1 : 0;
  expect(lines).toBeLessThan(200);
  await denials.close();
  expect(told).toEqual([[null, 10_000 - lines]]);
});
