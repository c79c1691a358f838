/** Where values of one axis are drawn. */
export interface Scale {
  readonly place: (value: number) => number;
  readonly ticks: readonly { readonly value: number; readonly text: string }[];
}

/** About so many ticks stand along an axis. */
const TICKS = 6;

/**
 * A scale that has a place for all these values, and begins and ends at a tick. A linear one begins at zero unless there is less.
 * @param to where its beginning and its end are drawn.
 */
export function scaleOf(values: readonly number[], logarithmic: boolean, to: readonly [number, number]): Scale {
  const [low, high] = boundsOf(values);
  const ticks = logarithmic ? powersOfTen(low, high) : evenSteps(Math.min(low, 0), high);
  const position = logarithmic ? Math.log10 : (value: number): number => value;
  const begin = position(ticks.at(0) ?? 0);
  const length = position(ticks.at(-1) ?? 1) - begin;
  return {
    place: (value) => to[0] + ((position(value) - begin) / length) * (to[1] - to[0]),
    ticks: ticks.map((value) => ({ value, text: format(value) })),
  };
}

/** Without spreading: there may be a hundred thousand of them. */
function boundsOf(values: readonly number[]): readonly [number, number] {
  if (values.length === 0) return [1, 1];
  return values.reduce<readonly [number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
}

function powersOfTen(low: number, high: number): readonly number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.max(Math.ceil(Math.log10(high)), first + 1);
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
}

function evenSteps(low: number, high: number): readonly number[] {
  const step = niceStep((high - low) / TICKS);
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

/** 1, 2 or 5 with zeros, and no less than what is asked for. */
function niceStep(least: number): number {
  if (!(least > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((digit) => digit * power >= least) ?? 10) * power;
}

/** 3000 as 3k; without the dust of computing with floating point. */
function format(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${tidy(value / 1e6)}M`;
  if (size >= 1e3) return `${tidy(value / 1e3)}k`;
  return tidy(value);
}

function tidy(value: number): string {
  return String(Number(value.toPrecision(6)));
}
