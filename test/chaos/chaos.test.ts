import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRequest, REQUEST_VARIABLE } from './request';
import { runAndJudge, violationsBy } from './verdict';

const { size, broken, report: reportFile, keep } = readRequest(process.env[REQUEST_VARIABLE]);
/** To start, to settle, and to read everything. */
const BESIDE_MS = 15 * 60_000;

test(
  broken === null
    ? 'whatever fails, every promise is kept'
    : `the checker finds what breaks without ${broken === 'plan' ? 'the plan before the deed' : `the ${broken}`}`,
  async () => {
    const { trace, report } = await runAndJudge(size, { broken, keep });
    if (keep !== null) await writeFile(join(keep, 'trace.json'), JSON.stringify(trace));
    if (reportFile !== null) {
      const { startedAt, healedAt, settledAt } = trace;
      await writeFile(
        reportFile,
        `${JSON.stringify({ size, broken, startedAt, healedAt, settledAt, ...report }, null, 2)}\n`,
      );
    }
    if (broken === null) expect(report.violations).toEqual([]);
    else expect(violationsBy(broken, report)).not.toEqual([]);
  },
  size.durationMs + BESIDE_MS,
);
