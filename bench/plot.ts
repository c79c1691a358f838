import { scaleOf } from './scale';
import type { Scale } from './scale';

export interface Axis {
  readonly label: string;
  /** Powers of ten at equal distances. What is not above zero has no place on it. */
  readonly logarithmic?: boolean;
}

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

/** Figures as lines. */
export interface Plot {
  /** Of its file, without the ending. */
  readonly name: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

const WIDTH = 760;
const HEIGHT = 420;
const LEFT = 76;
const RIGHT = 20;
const BOTTOM = 52;
const TITLE_Y = 24;
const LEGEND_Y = 46;
const LEGEND_LINE = 18;
/** Few points are told one by one. */
const DOTS_UP_TO = 40;

/** Readable on white and on black, and told apart by their dashes where colours are not. */
const STROKES = [
  ['#2f81f7', ''],
  ['#d9822b', '7 4'],
  ['#2da44e', '2 3'],
  ['#bf5af2', '9 3 2 3'],
  ['#e5484d', '4 2'],
  ['#8b949e', '1 4'],
] as const;

const STYLE = `text{font:12px system-ui,sans-serif;fill:#3d444d}.title{font-size:15px;font-weight:600}.grid{stroke:#8b949e;stroke-opacity:.25}.axis{stroke:#8b949e}@media (prefers-color-scheme:dark){text{fill:#c9d1d9}}`;

/** The plot as an SVG that needs nothing else, without a background, for a light and for a dark page. */
export function toSvg(plot: Plot): string {
  const visible = plot.series.map(({ name, points }) => ({
    name,
    points: points.filter((point) => isOn(point, plot)),
  }));
  const top = LEGEND_Y + plot.series.length * LEGEND_LINE;
  const all = visible.flatMap(({ points }) => points);
  const x = scaleOf(
    all.map(([value]) => value),
    plot.x.logarithmic === true,
    [LEFT, WIDTH - RIGHT],
  );
  const y = scaleOf(
    all.map(([, value]) => value),
    plot.y.logarithmic === true,
    [HEIGHT - BOTTOM, top],
  );
  const legend = plot.series.map((series, index) => entryOf(series, visible[index]?.points.length ?? 0, index));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(plot.title)}">`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="${LEFT}" y="${TITLE_Y}">${escape(plot.title)}</text>`,
    ...legend,
    ...columns(x, top),
    ...rows(y),
    `<path class="axis" fill="none" d="M${LEFT} ${top}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}"/>`,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${escape(plot.x.label)}</text>`,
    `<text transform="translate(16 ${(top + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escape(plot.y.label)}</text>`,
    ...visible.map(({ points }, index) => lineOf(points, x, y, index)),
    '</svg>',
    '',
  ].join('\n');
}

function isOn([x, y]: readonly [number, number], plot: Plot): boolean {
  const fits = (value: number, { logarithmic }: Axis): boolean =>
    Number.isFinite(value) && (logarithmic !== true || value > 0);
  return fits(x, plot.x) && fits(y, plot.y);
}

/** What cannot be drawn is told, not left out without a word. */
function entryOf({ name, points }: Series, drawn: number, index: number): string {
  const [colour, dashes] = strokeOf(index);
  const at = LEGEND_Y + index * LEGEND_LINE;
  const missing = points.length - drawn;
  const text = missing === 0 ? name : `${name} (${missing} of ${points.length} points have no place on these axes)`;
  return (
    `<path d="M${LEFT} ${at - 4}h26" stroke="${colour}" stroke-width="2" stroke-dasharray="${dashes}"/>` +
    `<text x="${LEFT + 34}" y="${at}">${escape(text)}</text>`
  );
}

function columns({ ticks, place }: Scale, top: number): readonly string[] {
  return ticks.map(({ value, text }) => {
    const at = round(place(value));
    return (
      `<path class="grid" d="M${at} ${top}V${HEIGHT - BOTTOM}"/>` +
      `<text x="${at}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${text}</text>`
    );
  });
}

function rows({ ticks, place }: Scale): readonly string[] {
  return ticks.map(({ value, text }) => {
    const at = round(place(value));
    return (
      `<path class="grid" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/>` +
      `<text x="${LEFT - 8}" y="${at + 4}" text-anchor="end">${text}</text>`
    );
  });
}

function lineOf(points: Series['points'], x: Scale, y: Scale, index: number): string {
  const [colour, dashes] = strokeOf(index);
  const drawn = points.map(([a, b]) => `${round(x.place(a))} ${round(y.place(b))}`);
  // Thousands of points lie on the same spots.
  const path = drawn.filter((spot, at) => spot !== drawn[at - 1]);
  if (path.length === 0) return '';
  const dots = points.length > DOTS_UP_TO ? [] : path.map((spot) => dotAt(spot, colour));
  return (
    `<path fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${dashes}" d="M${path.join('L')}"/>` +
    dots.join('')
  );
}

function dotAt(spot: string, colour: string): string {
  const [x = '', y = ''] = spot.split(' ');
  return `<circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>`;
}

function strokeOf(index: number): (typeof STROKES)[number] {
  return STROKES[index % STROKES.length] ?? STROKES[0];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
