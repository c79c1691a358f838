import type { SweepReport } from '../../workflows/contract';
import { printable } from '../output/printable';

/** A sweep's report in lines for people. Names are those that somebody chose at the provider. */
export function describeReport(report: SweepReport): readonly string[] {
  const { integration, dryRun, examined, live, waiting, removed, failed, foreign, unmarked } = report;
  const others = Object.entries(foreign);
  const lines = [
    `${integration}: ${plural(examined, 'entity', 'entities')} looked at, ${live} of live leases, ` +
      `${waiting} not due yet, ${removed} ${dryRun ? 'would be removed' : 'removed'}, ${failed} failed.`,
  ];
  for (const { entity, why } of report.removals)
    lines.push(`  ${dryRun ? 'would remove' : 'removed'} ${entity}: ${why}`);
  for (const { entity, failure } of report.failures) lines.push(`  failed ${entity}: ${failure}`);
  for (const [deployment, count] of others) {
    lines.push(
      `  not touched: ${plural(count, 'entity', 'entities')} of installation ${deployment}. ` +
        `If it is gone: leasehold sweep --integrations ${integration} --deployment ${deployment}`,
    );
  }
  if (unmarked > 0) {
    lines.push(
      `  not touched: ${plural(unmarked, 'name that is', 'names that are')} not fully ours: ${report.unmarkedNames.join(', ')}`,
    );
  }
  const cut = removed - report.removals.length + failed - report.failures.length;
  if (cut > 0) lines.push(`  and ${cut} more: the audit log has them all.`);
  return lines.map(printable);
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
