import { toSvg } from '../../../bench/plot';
import type { Plot } from '../../../bench/plot';
import { scaleOf } from '../../../bench/scale';

const PLOT: Plot = {
  name: 'alive',
  title: 'Live credentials <after> & "before"',
  x: { label: 'seconds' },
  y: { label: 'roles' },
  series: [
    {
      name: 'Leasehold',
      points: [
        [0, 100],
        [10, 50],
        [20, 0],
      ],
    },
    {
      name: 'OpenBao',
      points: [
        [0, 100],
        [20, 100],
      ],
    },
  ],
};

test('a plot has the names of its series and axes, and marks few points one by one', () => {
  const svg = toSvg(PLOT);
  for (const text of ['>Leasehold<', '>OpenBao<', '>seconds<', '>roles<']) expect(svg).toContain(text);
  expect(svg.match(/<circle/g)).toHaveLength(5);
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox=/);
});

test('what a text holds is no markup', () => {
  expect(toSvg(PLOT)).toContain('Live credentials &lt;after&gt; &amp; &quot;before&quot;');
});

test('it is readable on a dark page too, and loads nothing', () => {
  const svg = toSvg(PLOT);
  expect(svg).toContain('prefers-color-scheme:dark');
  expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|url\(|href/);
});

test('thousands of points on the same spots are drawn once', () => {
  const points = Array.from({ length: 50_000 }, (_, index): [number, number] => [index / 1_000, 1]);
  const svg = toSvg({ ...PLOT, series: [{ name: 'many', points }] });
  expect(svg.length).toBeLessThan(100_000);
  expect(svg).not.toContain('<circle');
});

test('what has no place on a logarithmic axis is told', () => {
  const svg = toSvg({ ...PLOT, y: { label: 'roles', logarithmic: true } });
  expect(svg).toContain('Leasehold (1 of 3 points have no place on these axes)');
  expect(svg.match(/<circle/g)).toHaveLength(4);
});

test('a plot without a point is a plot', () => {
  for (const logarithmic of [false, true]) {
    const svg = toSvg({ ...PLOT, y: { label: 'roles', logarithmic }, series: [{ name: 'none', points: [] }] });
    expect(svg).toContain('>none<');
    expect(svg).not.toMatch(/NaN|Infinity/);
  }
});

test.each<[string, readonly number[], boolean, string]>([
  ['from zero', [3, 47], false, '0 10 20 30 40 50'],
  ['below zero where there is something', [-0.4, 1], false, '-0.5 0 0.5 1'],
  ['in thousands', [50_000], false, '0 10k 20k 30k 40k 50k'],
  ['without the dust of floating point', [0.3], false, '0 0.05 0.1 0.15 0.2 0.25 0.3'],
  ['of one value', [0], false, '0 1'],
  ['of powers of ten', [3, 4_000], true, '1 10 100 1k 10k'],
  ['of one power', [10], true, '10 100'],
])('an axis has ticks that a person would choose: %s', (_, values, logarithmic, ticks) => {
  expect(
    scaleOf(values, logarithmic, [0, 100])
      .ticks.map(({ text }) => text)
      .join(' '),
  ).toBe(ticks);
});

test('the first and the last tick are at the ends', () => {
  const linear = scaleOf([47], false, [400, 0]);
  expect([0, 25, 50].map((value) => linear.place(value))).toEqual([400, 200, 0]);
  const powers = scaleOf([1, 100], true, [0, 200]);
  expect([1, 10, 100].map((value) => powers.place(value))).toEqual([0, 100, 200]);
});
