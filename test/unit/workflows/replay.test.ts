import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replay } from '../../support/replay';

const directory = join(__dirname, '../../histories');
const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));

test('the recorded paths are there', () => {
  expect(names.length).toBeGreaterThanOrEqual(12);
});

test.each(names)('the recorded history %s replays with today’s workflows', async (name) => {
  await replay(JSON.parse(readFileSync(join(directory, name), 'utf8')), leaseIdOf(name));
});

test('a history that today’s workflows would not have made is noticed', async () => {
  const history = JSON.parse(readFileSync(join(directory, '0.1.0/expired.json'), 'utf8')) as {
    events: { eventType: string }[];
  };
  const timer = history.events.findIndex((event) => /timer.?started/i.test(event.eventType));
  expect(timer).toBeGreaterThan(0);
  history.events[timer]!.eventType = 'EVENT_TYPE_TIMER_CANCELED';
  await expect(replay(history, leaseIdOf('0.1.0/expired.json'))).rejects.toThrow();
});

function leaseIdOf(name: string): string {
  const text = readFileSync(join(directory, name), 'utf8');
  const { events } = JSON.parse(text) as {
    events: { workflowExecutionStartedEventAttributes?: { workflowId?: string } }[];
  };
  return events[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? 'unknown';
}
