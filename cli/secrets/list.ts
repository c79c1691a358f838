import type { OfferedSecret, StaticSecrets } from '../../client/http';
import { formatTtl } from '../../workflows/ttl';
import type { ShowFlags } from '../commands/secrets';
import { EXIT } from '../exit';
import { outputTo } from '../output/output';
import { printable } from '../output/printable';
import type { Style } from '../output/style';
import { print, printJson } from '../output/print';
import { table } from '../output/table';
import type { Cell } from '../output/table';
import type { Contents } from '../selection';
import { withContents } from './contents';

/** Of one length, whatever it hides. */
const MASK = '********';

/** See `secretsCommand`. */
export function listSecrets({ plain = false, json = false, ...flags }: ShowFlags): Promise<number> {
  return withContents(flags, async (contents) => {
    if (json) await printJson(describe(contents, plain));
    else await print(draw(contents, plain));
    return EXIT.done;
  });
}

function describe({ statics, offered }: Contents, plain: boolean): unknown {
  return {
    project: statics.project,
    config: statics.config,
    secrets: sorted(statics).map(([name, value]) => ({ name, value: plain ? value : null })),
    dynamic_secrets: offered.map((secret) => ({
      name: secret.dynamicSecret,
      flat_names: secret.flatNames,
      default_ttl_seconds: secret.defaultTtlMs / 1_000,
      min_ttl_seconds: secret.minTtlMs / 1_000,
      max_ttl_seconds: secret.maxTtlMs / 1_000,
    })),
  };
}

function draw({ statics, offered }: Contents, plain: boolean): string {
  const output = outputTo(process.stdout);
  const { style } = output;
  const rows = [
    ...sorted(statics).map(([name, value]): Cell[] => [name, plain ? value : { text: MASK, paint: style.dim }]),
    ...offered.flatMap((secret) => rowsOf(secret, style)),
  ];
  if (rows.length === 0) return `There is no secret in ${printable(`${statics.project}/${statics.config}`)}.\n`;
  return table([{ title: 'NAME', whole: true }, 'VALUE'], rows, output);
}

/** Under its own name nothing is handed out. */
function rowsOf({ dynamicSecret, flatNames, ...ttls }: OfferedSecret, style: Style): readonly Cell[][] {
  const range = `${formatTtl(ttls.minTtlMs)} to ${formatTtl(ttls.maxTtlMs)}, default ${formatTtl(ttls.defaultTtlMs)}`;
  const leased: Cell = { text: `leased on demand with ${dynamicSecret}`, paint: style.dim };
  return [[dynamicSecret, `leased on demand, TTL ${range}`], ...flatNames.map((name): Cell[] => [`  ${name}`, leased])];
}

function sorted({ values }: StaticSecrets): readonly (readonly [string, string])[] {
  return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
}
