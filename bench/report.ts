import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Findings, Size } from './bench';
import { describeMachine } from './machine';
import type { Machine } from './machine';
import { toSvg } from './plot';
import { toMarkdown } from './table';

/** What a bench has found, and on what. */
export interface Report {
  readonly bench: Pick<Bench, 'name' | 'about'>;
  readonly size: Size;
  readonly begunAt: Date;
  readonly tookMs: number;
  readonly machine: Machine;
  readonly findings: Findings;
}

/** In Markdown, with the plots beside it. */
export function describeReport({ bench, size, begunAt, tookMs, machine, findings }: Report): string {
  const { tables, plots, notes, missing = [] } = findings;
  const facts = describeMachine(machine).map(([name, value]) => `- ${name}: ${value}`);
  const parts = [
    `## ${bench.name}`,
    bench.about,
    `Begun ${begunAt.toISOString()}, took ${Math.round(tookMs / 1_000)} s, size \`${size}\`.`,
    ...(size === 'quick' ? ['The size `quick` shows that the bench works. These are no figures to rely on.'] : []),
    ...(missing.length === 0 ? [] : [`Not all was measured that was to be:\n\n${listed(missing)}`]),
    ...tables.map((table) => toMarkdown(table).trimEnd()),
    ...plots.map(({ name, title }) => `![${title}](${name}.svg)`),
    ...(notes.length === 0 ? [] : [listed(notes)]),
    `### Machine\n\n${facts.join('\n')}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Each sentence is one line, also where it tells what a program said in several. */
function listed(sentences: readonly string[]): string {
  return sentences.map((sentence) => `- ${sentence.replaceAll(/\s*\n\s*/g, ' ')}`).join('\n');
}

/** Writes `<name>.json`, `<name>.md` and the plots into a directory. Answers the files. */
export async function writeReport(directory: string, report: Report): Promise<readonly string[]> {
  const { bench, size, begunAt, tookMs, machine, findings } = report;
  const { tables, notes, missing = [], data } = findings;
  const about = { name: bench.name, about: bench.about, size, begunAt, tookMs: Math.round(tookMs), machine };
  const files: readonly (readonly [string, string])[] = [
    [`${bench.name}.json`, `${JSON.stringify({ ...about, missing, tables, notes, data }, null, 2)}\n`],
    [`${bench.name}.md`, describeReport(report)],
    ...findings.plots.map((plot) => [`${plot.name}.svg`, toSvg(plot)] as const),
  ];
  await mkdir(directory, { recursive: true });
  const paths = files.map(([name, text]) => ({ path: join(directory, name), text }));
  for (const { path, text } of paths) await writeFile(path, text);
  return paths.map(({ path }) => path);
}
