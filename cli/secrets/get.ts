import type { ShowFlags } from '../commands/secrets';
import { EXIT, UsageError } from '../exit';
import { outputTo } from '../output/output';
import { print, printJson } from '../output/print';
import { table } from '../output/table';
import { allNames, noSuchSecrets } from '../selection';
import type { Contents } from '../selection';
import { withContents } from './contents';

/** See `secretsCommand`. */
export function getSecrets(names: readonly string[], { plain, json, ...flags }: ShowFlags): Promise<number> {
  return withContents(flags, async ({ statics, offered }) => {
    checkNames(names, { statics, offered });
    const rows = names.map((name) => [name, statics.values[name] ?? ''] as const);
    if (json === true) await printJson(Object.fromEntries(rows));
    else if (plain === true) await print(rows.map(([, value]) => `${value}\n`).join(''));
    else await print(table([{ title: 'NAME', whole: true }, 'VALUE'], rows, outputTo(process.stdout)));
    return EXIT.done;
  });
}

/** @throws UsageError of what has no value now. */
function checkNames(names: readonly string[], { statics, offered }: Contents): void {
  for (const name of names) {
    const owner = offered.find((secret) => allNames(secret).includes(name))?.dynamicSecret;
    if (owner === undefined) continue;
    const what = owner === name ? `${name} is a dynamic secret` : `${name} belongs to the dynamic secret ${owner}`;
    throw new UsageError(
      `${what}, which has a value only while it is leased: use leasehold run or leasehold lease ${owner}.`,
    );
  }
  const unknown = names.filter((name) => !Object.hasOwn(statics.values, name));
  if (unknown.length > 0) throw noSuchSecrets(statics, unknown);
}
