/** Of samples of one kind, e.g. durations in milliseconds. */
export interface Distribution {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * Percentiles are samples that were really measured: the smallest one that so many of all do not exceed.
 * @throws Error without samples, or if one is no number.
 */
export function distributionOf(samples: readonly number[]): Distribution {
  const sorted = sort(samples);
  const percentile = (of: number): number => at(sorted, Math.ceil((of / 100) * sorted.length) - 1);
  return {
    count: sorted.length,
    min: at(sorted, 0),
    mean: sorted.reduce((sum, sample) => sum + sample, 0) / sorted.length,
    p50: percentile(50),
    p95: percentile(95),
    p99: percentile(99),
    max: at(sorted, sorted.length - 1),
  };
}

/** The one in the middle, or between the two in the middle. @throws Error as {@link distributionOf}. */
export function median(samples: readonly number[]): number {
  const sorted = sort(samples);
  const upper = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? at(sorted, upper) : (at(sorted, upper - 1) + at(sorted, upper)) / 2;
}

/** Three digits or so, and seconds where there are many: `8.31 ms`, `127 ms`, `24.1 s`. */
export function formatMs(ms: number): string {
  const size = Math.abs(ms);
  if (size >= 9_999.5) return `${(ms / 1_000).toFixed(size < 99_950 ? 1 : 0)} s`;
  return `${ms.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0)} ms`;
}

/** How many times the second the first is: `1.27 x`. */
export function formatRatio(a: number, b: number): string {
  if (!(b > 0)) throw new Error(`No ratio to ${b} can be told.`);
  return `${(a / b).toFixed(2)} x`;
}

function sort(samples: readonly number[]): Float64Array {
  if (samples.length === 0) throw new Error('Nothing was measured: there are no samples.');
  const sorted = Float64Array.from(samples).sort();
  // What is no number comes last.
  if (Number.isNaN(sorted.at(-1))) throw new Error('One of the samples is no number.');
  return sorted;
}

function at(sorted: Float64Array, index: number): number {
  return sorted[Math.max(index, 0)] ?? Number.NaN;
}
