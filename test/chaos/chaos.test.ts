import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRequest, REQUEST_VARIABLE } from './request';
import { markdownTable } from './table';
import { judgeAgain, runAndJudge, violationsBy } from './verdict';

const { size, broken, report: reportFile, keep, judge } = readRequest(process.env[REQUEST_VARIABLE]);
/** To start, to settle, and to read everything. */
const BESIDE_MS = 15 * 60_000;

test(
  broken === null
    ? 'whatever fails, every promise is kept'
    : `the checker finds what breaks without ${broken === 'plan' ? 'the plan before the deed' : `the ${broken}`}`,
  async () => {
    const { trace, report } = judge === null ? await runAndJudge(size, { broken, keep }) : await judgeAgain(judge);
    if (keep !== null) await writeFile(join(keep, 'trace.json'), JSON.stringify(trace));
    if (reportFile !== null) {
      const { size: played, startedAt, healedAt, settledAt } = trace;
      const told = { size: played, broken, startedAt, healedAt, settledAt, ...report };
      const text = reportFile.endsWith('.md') ? markdownTable(trace, report) : JSON.stringify(told, null, 2);
      await writeFile(reportFile, `${text.trimEnd()}\n`);
    }
    if (broken === null) expect(report.violations).toEqual([]);
    else expect(violationsBy(broken, report)).not.toEqual([]);
  },
  size.durationMs + BESIDE_MS,
);
