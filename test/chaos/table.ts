import type { Report } from './report';
import type { Trace } from './trace';

/** The table for a terminal. */
export function textTable(trace: Trace, report: Report): string {
  return `seed ${trace.size.seed}: ${report.violations.length} violations`;
}

/** The same for a page of the docs. */
export function markdownTable(trace: Trace, report: Report): string {
  return textTable(trace, report);
}
