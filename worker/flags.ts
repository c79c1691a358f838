import { InvalidArgumentError } from 'commander';

/** Reads `a,b` of an option. */
export function readNames(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => name === '')) throw new InvalidArgumentError('Give names separated by commas.');
  return names;
}
