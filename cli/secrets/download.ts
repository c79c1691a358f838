import { impliedTransformer } from '../../flat/format-names';
import { FORMATS } from '../../flat/formats';
import { SameNameError, transformNames } from '../../flat/transformers';
import type { Transformer } from '../../flat/transformers';
import type { DownloadFlags } from '../commands/secrets';
import { UsageError } from '../exit';
import { handedOut, select } from '../selection';
import type { Selection } from '../selection';
import { readSeconds } from '../ttl';
import { withContents } from './contents';
import type { Opened } from './contents';
import { handOut } from './hand-out';

/** See `secretsCommand`. */
export function downloadSecrets(flags: DownloadFlags): Promise<number> {
  const { format, nameTransformer = impliedTransformer(format), dynamicTtl } = flags;
  const ttl = dynamicTtl === undefined ? undefined : readSeconds(dynamicTtl, '--ttl');
  return withContents(flags, (opened) => {
    const selection = choose(opened, flags);
    const names = rename([...handedOut(selection)].sort(), nameTransformer);
    if (format === 'env') checkShell([...names.values()]);
    const render = (valueOf: (name: string) => string): string => {
      const text = FORMATS[format].write(new Map([...names].map(([name, as]) => [as, valueOf(name)])));
      return text === '' || text.endsWith('\n') ? text : `${text}\n`;
    };
    return handOut(opened, { selection, ttl, target: flags, render });
  });
}

function choose(opened: Opened, { onlySecrets, staticOnly = false }: DownloadFlags): Selection {
  const selection = select(opened, onlySecrets);
  if (!staticOnly) return selection;
  const [named] = onlySecrets === undefined ? [] : selection.dynamics;
  if (named === undefined) return { ...selection, dynamics: [] };
  throw new UsageError(
    `${named.secret.dynamicSecret} is a dynamic secret: leave out either its name or --static-only.`,
  );
}

/** @throws UsageError of what no shell takes as the name of a variable. */
function checkShell(names: readonly string[]): void {
  const wrong = names.find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (wrong === undefined) return;
  throw new UsageError(
    `--name-transformer: a shell has no variable ${JSON.stringify(wrong)}. Choose another one for --format env, or another format.`,
  );
}

/** @throws UsageError if two become the same. */
function rename(names: readonly string[], transformer: Transformer | null): ReadonlyMap<string, string> {
  try {
    return transformNames(names, transformer);
  } catch (error) {
    throw error instanceof SameNameError ? new UsageError(`--name-transformer: ${error.message}`) : error;
  }
}
