/** How often each name comes, the most frequent first. */
export function countBy<T>(among: Iterable<T>, nameOf: (each: T) => string): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const each of among) counts.set(nameOf(each), (counts.get(nameOf(each)) ?? 0) + 1);
  return [...counts].sort(([oneName, one], [otherName, other]) => other - one || oneName.localeCompare(otherName));
}
