/** One figure at one instant, or of one size. */
export type Point = readonly [x: number, y: number];

/** How much y grows with x, by least squares. Null for fewer than two different x. */
export function slopeOf(points: readonly Point[]): number | null {
  const count = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (count < 2 || spread === 0) return null;
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
}

/** The half that came later. */
export function secondHalfOf<T>(samples: readonly T[]): readonly T[] {
  return samples.slice(Math.floor(samples.length / 2));
}
