import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contentsOf, instantOf, readMoments, stepsTaken } from '../../../bench/issue/moments';
import { END_STEPS, ISSUE_STEPS } from '../../../bench/issue/steps';

const recorded: unknown = JSON.parse(readFileSync(join(__dirname, '../../histories/0.4.0/revoked.json'), 'utf8'));
const moments = readMoments(recorded);

function at(type: string, nth = 1): number {
  return moments.filter((moment) => moment.type === type)[nth - 1]!.at;
}

test('an instant keeps what is less than a millisecond', () => {
  expect(instantOf('2026-11-26T14:20:53.041782344Z') - Date.parse('2026-11-26T14:20:53.041Z')).toBeCloseTo(0.782, 2);
  expect(instantOf('2026-11-26T14:20:53Z')).toBe(Date.parse('2026-11-26T14:20:53.000Z'));
  expect(() => instantOf('yesterday')).toThrow('"yesterday" is no instant');
});

test('the steps of an issue are those between its events and take the whole of the call', () => {
  const from = at('WORKFLOW_EXECUTION_STARTED') - 3;
  const to = at('WORKFLOW_TASK_COMPLETED', 2) + 2;
  const steps = stepsTaken(ISSUE_STEPS, moments, { from, to });
  expect(steps).toHaveLength(ISSUE_STEPS.length);
  expect(steps[0]).toBeCloseTo(3, 3);
  expect(steps[4]).toBeCloseTo(at('ACTIVITY_TASK_COMPLETED') - at('ACTIVITY_TASK_STARTED'), 3);
  expect(steps.at(-1)).toBeCloseTo(2, 3);
  expect(steps.reduce((sum, step) => sum + step)).toBeCloseTo(to - from, 3);
});

test('the steps of a revoke begin at its signal', () => {
  const from = at('WORKFLOW_EXECUTION_SIGNALED') - 1;
  const to = at('WORKFLOW_EXECUTION_COMPLETED') + 1;
  const steps = stepsTaken(END_STEPS, moments, { from, to });
  expect(steps[2]).toBeCloseTo(at('WORKFLOW_TASK_COMPLETED', 3) - at('WORKFLOW_TASK_STARTED', 3), 3);
  expect(steps[4]).toBeCloseTo(at('ACTIVITY_TASK_COMPLETED', 2) - at('ACTIVITY_TASK_STARTED', 2), 3);
});

test('a history that lacks an event is refused, not read as a short step', () => {
  expect(() => stepsTaken(ISSUE_STEPS, moments.slice(0, 6), { from: 0, to: 0 })).toThrow(
    'The history has no ACTIVITY_TASK_STARTED that ends the step "activity waits for the worker".',
  );
});

test('what a history consists of is counted', () => {
  expect(contentsOf(moments)).toEqual({
    events: 36,
    workflowTasks: 4,
    activities: 2,
    localActivities: 3,
    upserts: 5,
    timers: 2,
    signals: 1,
    updates: 1,
  });
});
