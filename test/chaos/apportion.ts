/**
 * So many things shared out by weight: the sum is exact, whatever is drawn afterwards. Where there are enough of them, each kind gets
 * one, however little it weighs.
 */
export function apportion<K extends string>(total: number, weights: Readonly<Record<K, number>>): readonly K[] {
  const kinds = Object.keys(weights) as K[];
  const sum = kinds.reduce((all, kind) => all + weights[kind], 0);
  const least = total >= kinds.length ? 1 : 0;
  const shares = kinds.map((kind) => {
    const share = Math.max(least, (total * weights[kind]) / sum);
    return { kind, count: Math.floor(share), rest: share - Math.floor(share) };
  });
  const given = (): number => shares.reduce((all, { count }) => all + count, 0);
  for (const share of shares.toSorted((one, other) => other.rest - one.rest)) {
    if (given() < total) share.count += 1;
  }
  // What the light kinds were given beyond their weight is taken from the heaviest.
  while (given() > total) shares.toSorted((one, other) => other.count - one.count)[0]!.count -= 1;
  return shares.flatMap(({ kind, count }) => Array.from({ length: count }, () => kind));
}
