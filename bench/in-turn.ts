/** One after the other, and from the first one again after the last. */
export function inTurn<T>(all: readonly T[]): () => T {
  let turn = 0;
  return () => {
    const one = all[turn % all.length];
    if (one === undefined) throw new Error('There is nothing to take in turn.');
    turn += 1;
    return one;
  };
}
