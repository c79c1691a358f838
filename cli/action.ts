import { requirePart } from '../packaging/missing';
import type { Part } from '../packaging/parts';
import { exitWith } from './exit';

/**
 * What a command does, as commander calls it. The modules behind it are loaded in there, by `import()`: whoever wants the help or
 * another command does not wait for them.
 * @param needs the part of Leasehold whose packages must be there for that, which not everybody installs.
 */
export function act<Args extends readonly unknown[]>(
  run: (...args: Args) => Promise<number>,
  needs?: Part,
): (...args: Args) => Promise<void> {
  return (...args) =>
    exitWith(async () => {
      if (needs !== undefined) requirePart(needs, nameOf(args.at(-1)));
      return run(...args);
    });
}

/** `leasehold sweep`. @param command the last that commander hands over. */
function nameOf(command: unknown): string {
  const names: string[] = [];
  for (let each = command as Named | null; each !== null; each = each.parent) names.unshift(each.name());
  return names.join(' ');
}

interface Named {
  readonly parent: Named | null;
  name(): string;
}
