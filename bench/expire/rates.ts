/** How many there had been by then. */
export interface Count {
  readonly at: number;
  readonly n: number;
}

/**
 * The highest rate per second between two counts that are at least so far apart; null if none are.
 * @param counts in the order of time; they never become less.
 */
export function highestRate(counts: readonly Count[], windowMs: number): number | null {
  let highest: number | null = null;
  let from = 0;
  counts.forEach((count) => {
    // The latest count that is far enough back.
    while (isFarBack(counts[from + 1], count, windowMs)) from += 1;
    const begin = counts[from];
    if (begin === undefined || !isFarBack(begin, count, windowMs)) return;
    highest = Math.max(highest ?? 0, ((count.n - begin.n) / (count.at - begin.at)) * 1_000);
  });
  return highest;
}

function isFarBack(begin: Count | undefined, end: Count, windowMs: number): boolean {
  return begin !== undefined && end.at - begin.at >= windowMs && end.at > begin.at;
}
