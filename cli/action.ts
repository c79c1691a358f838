import { exitWith } from './exit';

/**
 * What a command does, as commander calls it. The modules behind it are loaded in there, by `import()`: whoever wants the help or
 * another command does not wait for them.
 */
export function act<Args extends readonly unknown[]>(
  run: (...args: Args) => Promise<number>,
): (...args: Args) => Promise<void> {
  return (...args) => exitWith(() => run(...args));
}
