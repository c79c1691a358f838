import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../../package.json';

const ROOT = join(__dirname, '../../..');
const page = readFileSync(join(ROOT, 'docs/performance.md'), 'utf8');

/** Types of the events of a recorded history, without their common beginning. */
function recorded(name: string): readonly string[] {
  const text = readFileSync(join(ROOT, `test/histories/${version}/${name}.json`), 'utf8');
  const { events } = JSON.parse(text) as { readonly events: readonly { readonly eventType: string }[] };
  return events.map(({ eventType }) => eventType.replace('EVENT_TYPE_', ''));
}

const WRITTEN = [
  'WORKFLOW_EXECUTION_STARTED',
  'WORKFLOW_EXECUTION_SIGNALED',
  'WORKFLOW_TASK_STARTED',
  'WORKFLOW_TASK_COMPLETED',
  'ACTIVITY_TASK_STARTED',
  'ACTIVITY_TASK_COMPLETED',
  'TIMER_FIRED',
];

/** Whatever reaches Temporal is one write, with all that follows from it at once. */
function writesOf(events: readonly string[]): number {
  return events.filter((type) => WRITTEN.includes(type)).length;
}

/** The number in the second column. */
function told(row: string): number {
  return Number(new RegExp(`^\\| ${row} +\\| +(\\d+) +\\|`, 'm').exec(page)?.[1]);
}

const expired = recorded('expired');
const count = (type: string): number => expired.filter((each) => each === type).length;

test('what a lease costs Temporal is what recorded histories say', () => {
  expect(told('events in its history')).toBe(expired.length);
  expect(told('workflow tasks')).toBe(count('WORKFLOW_TASK_COMPLETED'));
  expect(told('activities')).toBe(count('ACTIVITY_TASK_COMPLETED'));
  expect(told('writes of its state')).toBe(writesOf(expired));
  expect(writesOf(recorded('revoked'))).toBe(writesOf(expired));
  expect(told('calls of a worker')).toBe(2 * (count('WORKFLOW_TASK_COMPLETED') + count('ACTIVITY_TASK_COMPLETED')));
});

test('what a million live leases need is what follows from the cost of one', () => {
  const heartbeats = Number(/: (\d+) for a PostgreSQL role/.exec(page)?.[1]);
  const writes = told('writes of its state') + heartbeats;
  const actions = Number(/A lease that expires is (\d+) actions/.exec(page)?.[1]) + heartbeats;
  const [, temporalMs, workerMs] = /(\d+) ms of Temporal's own .*? and (\d+) ms of a worker's/.exec(page) ?? [];
  const rows = [
    ...page.matchAll(
      /^\| (\d+) (min|h) +\| +([\d,]+) \| +([\d,]+) \| +([\d,]+) \| +([\d.]+) \| +([\d.]+) \| +([\d,]+) \|$/gm,
    ),
  ];
  expect(rows).toHaveLength(4);
  for (const [, span, unit, ...cells] of rows) {
    const rate = 1_000_000 / (Number(span) * (unit === 'h' ? 3_600 : 60));
    const whole = [rate, writes * rate, actions * rate, 7 * 86_400 * rate].map(Math.round);
    const cores = [temporalMs, workerMs].map((ms) => ((Number(ms) / 1_000) * rate).toFixed(1));
    const [begun, written, acted, ofTemporal, ofWorkers, ended] = cells;
    expect([begun, written, acted, ended].map((cell) => Number(cell?.replaceAll(',', '')))).toEqual(whole);
    expect([ofTemporal, ofWorkers]).toEqual(cores);
  }
});
