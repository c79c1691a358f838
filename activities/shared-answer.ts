/**
 * Asks at most one question at a time, for all who want it answered: nobody is given an answer to a question that was asked before it
 * came. A question that fails fails for those it was asked for.
 */
export function sharedAnswer<T>(ask: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | null = null;
  let next: Promise<T> | null = null;

  const begin = (): Promise<T> => {
    const asked = ask().finally(() => {
      underWay = null;
    });
    underWay = asked;
    return asked;
  };
  const afterwards = (before: Promise<T>): Promise<T> => {
    const turn = (): Promise<T> => {
      next = null;
      return begin();
    };
    return before.then(turn, turn);
  };
  return () => {
    if (next !== null) return next;
    if (underWay === null) return begin();
    next = afterwards(underWay);
    return next;
  };
}
