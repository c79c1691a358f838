import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRequest } from '../../chaos/request';
import { expiredLease, traceOf } from './traces';

function run(...flags: readonly string[]): { readonly status: number | null; readonly told: string } {
  const script = join(__dirname, '../../../scripts/chaos.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...flags], { encoding: 'utf8' });
  return { status, told: stdout + stderr };
}

test.each([
  [['--leases', 'many'], '--leases must be a whole number from 1 to 1000000, not "many".'],
  [['--leases', '0'], '--leases must be a whole number from 1'],
  [['--faults', '1.5'], '--faults must be a whole number from 0'],
  [['--minutes', '-1'], '--minutes'],
  [['--seed', '4294967296'], '--seed must be a whole number from 0 to 4294967295, not "4294967296".'],
  [['--break', 'everything'], '--break must be one of fence, plan, sweep, not "everything".'],
  [['--leeses', '5'], "Unknown option '--leeses'"],
  [['5'], 'positional'],
  [['--judge', '/nowhere/trace.json'], '--judge must name what --keep has left, and there is no /nowhere/trace.json.'],
  [['--judge', __dirname], `there is no ${join(__dirname, 'trace.json')}.`],
  [['--judge', __filename, '--seed', '7'], '--seed is of no use with --judge'],
  [['--report', __dirname], `--report must name a file, and ${__dirname} is a directory.`],
  [['--report', join(__filename, 'r.json')], `--report: the directory ${__filename} cannot be made (`],
  [['--keep', __dirname], `--keep must name an empty or a new directory, and ${__dirname} holds something.`],
])('%j is refused with what is wrong and what there is, before anything is built', (flags, told) => {
  const refused = run(...flags);
  expect(refused.status).toBe(2);
  expect(refused.told).toContain(told);
  expect(refused.told).toContain('Usage: npm run chaos -- [options]');
});

test('help is given without a run', () => {
  const { status, told } = run('--help');
  expect([status, told.split('\n')[0]]).toEqual([0, 'Usage: npm run chaos -- [options]']);
});

test('what a run has left is judged again', () => {
  const directory = mkdtempSync(join(tmpdir(), 'leasehold-kept-'));
  try {
    const report = join(directory, 'new', 'table.md');
    const judge = (leaks: readonly string[]): ReturnType<typeof run> => {
      writeFileSync(join(directory, 'trace.json'), JSON.stringify(traceOf([expiredLease()], { leaks })));
      return run('--judge', directory, '--report', report);
    };
    expect(judge([])).toMatchObject({ status: 0 });
    expect(readFileSync(report, 'utf8')).toContain('| seed | 1 |');
    expect(judge(['a value stands in a file'])).toMatchObject({
      status: 1,
      told: expect.stringContaining('P4 is violated 1 times') as string,
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 60_000);

test('a run is as long as it was asked for, and of some minutes where nothing was', () => {
  const asked = { seed: 1, leases: 2, faults: 3, minutes: 0.5, broken: 'fence', report: null, keep: null, judge: null };
  expect(readRequest(JSON.stringify(asked))).toEqual({
    size: { seed: 1, leases: 2, faults: 3, durationMs: 30_000 },
    broken: 'fence',
    report: null,
    keep: null,
    judge: null,
  });
  expect(readRequest(undefined)).toMatchObject({ broken: null, judge: null, size: { durationMs: 240_000 } });
});
