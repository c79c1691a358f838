import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { version } from '../../../package.json';
import * as workflows from '../../../workflows';
import { replay } from '../../support/replay';

interface History {
  events: {
    eventType: string;
    workflowExecutionStartedEventAttributes?: { workflowId?: string; workflowType?: { name?: string } };
  }[];
}

const directory = join(__dirname, '../../histories');
/** Every file, whatever it is called. */
const names = readdirSync(directory, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
const releases = readdirSync(directory);
const replayed: string[] = [];

function read(name: string): History {
  return JSON.parse(readFileSync(join(directory, name), 'utf8')) as History;
}

function startOf({ events }: History): { readonly workflowId?: string; readonly workflowType?: { name?: string } } {
  return events[0]?.workflowExecutionStartedEventAttributes ?? {};
}

function leaseIdOf(name: string): string {
  return startOf(read(name)).workflowId ?? 'unknown';
}

test.each(names)('the recorded history %s replays with today’s workflows', async (name) => {
  await replay(read(name), leaseIdOf(name));
  replayed.push(name);
});

test('none of them was left out, and none is without its release', () => {
  expect(replayed.sort()).toEqual([...names].sort());
  expect(new Set(names.map((name) => name.split(sep)[0]))).toEqual(new Set(releases));
  expect(releases).toEqual(readdirSync(join(__dirname, '../../releases')));
  expect(releases).toContain('0.1.0');
  expect(releases).toContain(version);
});

test('what was recorded of a release was not taken away later', () => {
  const count = (release: string): number => names.filter((name) => name.startsWith(release + sep)).length;
  const releases = ['0.1.0', '0.2.0', '0.3.0', '0.4.0', '0.5.0'];
  expect(releases.map(count)).toEqual([12, 14, 17, 17, 17]);
});

test('of this release every kind of workflow was recorded', () => {
  const ours = names.filter((name) => name.startsWith(version + sep));
  const kinds = new Set(ours.map((name) => startOf(read(name)).workflowType?.name));
  expect([...kinds].sort()).toEqual(Object.keys(workflows).sort());
});

test('a history that today’s workflows would not have made is noticed', async () => {
  const history = read('0.1.0/expired.json');
  const timer = history.events.findIndex((event) => /timer.?started/i.test(event.eventType));
  expect(timer).toBeGreaterThan(0);
  history.events[timer]!.eventType = 'EVENT_TYPE_TIMER_CANCELED';
  await expect(replay(history, leaseIdOf('0.1.0/expired.json'))).rejects.toThrow();
});

describe('workflows that were changed without a patch are noticed', () => {
  function instead(is: RegExp, will: string): (code: string) => string {
    return (code) => {
      const changed = code.replace(is, will);
      if (changed === code) throw new Error(`the workflows have nothing like ${is.source} any more`);
      return changed;
    };
  }
  const PATCHED = /\(0, ?[\w$.]+patched\)\(RECORDS\)/;

  test.each([
    ['0.1.0/expired.json', 'have got a step more, for all leases'],
    ['0.1.0/stuck-and-nudged.json', 'have got a step more, for all leases'],
    [`${version}/expired.json`, 'have got a step more, for all leases'],
  ])('against %s, where they %s', async (name) => {
    await replay(read(name), leaseIdOf(name));
    await expect(replay(read(name), leaseIdOf(name), instead(PATCHED, 'true'))).rejects.toThrow(/nondetermin/i);
  });

  test('and so is a patch that was taken out with the step that it added', async () => {
    const name = `${version}/expired.json`;
    await expect(replay(read(name), leaseIdOf(name), instead(PATCHED, 'false'))).rejects.toThrow(/nondetermin/i);
  });
});
