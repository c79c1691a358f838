import { runAndJudge } from '../chaos/verdict';
import type { Verdict } from '../chaos/verdict';
import { provided } from '../support/stack';

let verdict: Verdict;

beforeAll(async () => {
  const size = { seed: 11, leases: 60, faults: 25, durationMs: 50_000 };
  verdict = await runAndJudge(size, { tools: provided().tools, replays: 20 });
}, 180_000);

test('faults of every kind break no promise', () => {
  expect(verdict.report.violations).toEqual([]);
});

test('the faults hit, and leases were issued in spite of them', () => {
  const { faults, issues } = verdict.trace;
  expect(new Set(faults.filter(({ hit }) => hit).map(({ fault }) => fault.do)).size).toBeGreaterThanOrEqual(8);
  expect(issues.filter(({ outcome }) => outcome.is === 'delivered').length).toBeGreaterThan(15);
});

test('everything had ended soon after the last fault', () => {
  const { trace } = verdict;
  expect(trace.runs.filter(({ closedAt }) => closedAt === null)).toEqual([]);
  expect(trace.snapshots.at(-1)?.entities).toEqual([]);
});
