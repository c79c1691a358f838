import { countBy } from './counts';
import type { Report } from './report';
import { summarise } from './summary';
import type { Trace } from './trace';

/** So many violations of one promise are printed: what broke one lease breaks others in the same way. */
const PRINTED = 10;

/** The table for a terminal, and what was violated. */
export function textTable(trace: Trace, report: Report): string {
  const groups = summarise(trace, report);
  const width = Math.max(...groups.flatMap(({ rows }) => rows.map(([what]) => what.length)));
  const lines = groups.flatMap(({ heading, rows }) => [
    '',
    heading,
    ...rows.map(([what, value]) => `  ${what.padEnd(width)}  ${value}`),
  ]);
  return [...lines, ...violationLines(report), ''].join('\n');
}

/** The same for a page of the docs, without the violations' sentences. */
export function markdownTable(trace: Trace, report: Report): string {
  const rows = summarise(trace, report).flatMap(({ heading, rows: of }) => [
    `| **${heading}** | |`,
    ...of.map(([what, value]) => `| ${what} | ${value.replaceAll('|', '\\|')} |`),
  ]);
  return ['| what | how much |', '| --- | --- |', ...rows, ''].join('\n');
}

function violationLines({ violations }: Report): string[] {
  return countBy(violations, ({ promise }) => promise).flatMap(([promise, times]) => {
    const told = violations.filter((violation) => violation.promise === promise).slice(0, PRINTED);
    return [
      '',
      `${promise} is violated ${times} times:`,
      ...told.map(({ leaseId, what }) => `  ${leaseId === null ? '' : `lease ${leaseId}: `}${what}`),
      ...(times > PRINTED ? [`  and ${times - PRINTED} more.`] : []),
    ];
  });
}
