import { isFull } from '../support/full';

/**
 * Which cases are tried under each name: all, in a run that takes its time. Else every case once, each under the next name, at
 * least one under every name, and besides the pairs at which most can go wrong. The same in every run.
 */
export function chooseCases<Name, Case>(
  names: readonly Name[],
  cases: (name: Name) => readonly Case[],
  isDangerous: (name: Name, each: Case) => boolean,
): ReadonlyMap<Name, readonly Case[]> {
  const chosen = names.map((name, index): [Name, readonly Case[]] => {
    const all = cases(name);
    const isTurn = (nth: number): boolean =>
      nth % names.length === index || (all.length < names.length && index % all.length === nth);
    return [name, isFull ? all : all.filter((each, nth) => isTurn(nth) || isDangerous(name, each))];
  });
  return new Map(chosen);
}
