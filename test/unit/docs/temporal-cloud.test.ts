import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REQUIRED_ATTRIBUTES } from '../../../temporal/search-attributes';
import { readVariables } from '../../support/read-variables';

const ROOT = join(__dirname, '../../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const PAGES = ['docs/kubernetes.md', 'docs/temporal-cloud.md'];

/** The commands of a page, each on one line. */
function commandsOf(path: string): readonly string[] {
  return [...read(path).matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block]) =>
    block!
      .replaceAll(/\\\n\s*/g, ' ')
      .split('\n')
      .filter((line) => line !== ''),
  );
}

/** What a command adds, as `name=type`. */
function attributesIn(command: string): readonly string[] {
  const byCloud = [...command.matchAll(/--search-attribute (\w+=\w+)/g)].map(([, each]) => each!);
  const byServer = [...command.matchAll(/--name (\w+) --type (\w+)/g)].map(([, name, type]) => `${name}=${type}`);
  return [...byCloud, ...byServer];
}

interface Event {
  readonly eventType: string;
  readonly [attributes: string]: unknown;
}

/**
 * What Temporal Cloud bills for a history: each start, update, signal, timer, activity and change of search attributes, but not of the
 * one that it sets itself; markers once for each workflow task; attempts after the first.
 */
function actionsOf(events: readonly Event[]): number {
  const tasksWithMarkers = new Set<unknown>();
  let actions = 0;
  for (const { eventType, ...event } of events) {
    const attributes = Object.entries(event).find(([key]) => key.endsWith('Attributes'))![1] as Record<string, unknown>;
    switch (eventType.replace('EVENT_TYPE_', '')) {
      case 'WORKFLOW_EXECUTION_STARTED':
      case 'WORKFLOW_EXECUTION_UPDATE_ACCEPTED':
      case 'WORKFLOW_EXECUTION_SIGNALED':
      case 'TIMER_STARTED':
      case 'ACTIVITY_TASK_SCHEDULED':
        actions += 1;
        break;
      case 'ACTIVITY_TASK_STARTED':
        actions += Number(attributes['attempt']) - 1;
        break;
      case 'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES':
        if (!JSON.stringify(attributes).includes('TemporalChangeVersion')) actions += 1;
        break;
      case 'MARKER_RECORDED':
        tasksWithMarkers.add(attributes['workflowTaskCompletedEventId']);
        break;
      default:
        break;
    }
  }
  return actions + tasksWithMarkers.size;
}

function recorded(name: string): readonly Event[] {
  return (JSON.parse(read(`test/histories/0.3.0/${name}.json`)) as { readonly events: readonly Event[] }).events;
}

test.each(PAGES)('the variables that %s names are read', (path) => {
  const known = readVariables();
  const named = new Set(read(path).match(/\b(?:LEASEHOLD|TEMPORAL)_[A-Z_]*[A-Z]\b/g));
  expect(named.size).toBeGreaterThan(5);
  expect([...named].filter((name) => !known.has(name))).toEqual([]);
});

test('a variable that nobody reads would be seen', () => {
  const known = readVariables();
  expect(known).toContain('TEMPORAL_TLS_CLIENT_CERT_PATH');
  expect(known).toContain('TEMPORAL_CONFIG_FILE');
  expect(known).toContain('LEASEHOLD_API_LEAVE');
  expect(known).not.toContain('TEMPORAL_TLS_CERT');
});

test.each(PAGES)('the search attributes that the commands of %s add are those of the code', (path) => {
  const required = REQUIRED_ATTRIBUTES.map(({ name, type }) => `${name}=${type}`).toSorted();
  const adding = commandsOf(path).filter((command) => attributesIn(command).length > 0);
  expect(adding.length).toBeGreaterThan(0);
  for (const command of adding) expect(attributesIn(command).toSorted()).toEqual(required);
});

test('what a lease costs is what recorded histories say', () => {
  const [expired, revoked] = [actionsOf(recorded('expired')), actionsOf(recorded('revoked'))];
  const page = read('docs/temporal-cloud.md');
  const told = (row: string): number => Number(new RegExp(`^\\| ${row} +\\| (\\d+) +\\|$`, 'm').exec(page)?.[1]);
  expect(told('that expires')).toBe(expired);
  expect(told('that is revoked')).toBe(revoked);
  // The recorded one was extended twice and refused once.
  expect(expired + 2 * told('each extend') + told('each extend that is refused')).toBe(actionsOf(recorded('extended')));
  expect(page).toContain(`a sweep is ${actionsOf(recorded('sweep')) + 2} actions`);
});

test('how long a history becomes is what recorded ones say', () => {
  const [expired, extended] = [recorded('expired').length, recorded('extended').length];
  const [, told, more] = /(\d+) events for a lease that expires, (\d+) more for each extend/.exec(
    read('docs/temporal-cloud.md'),
  )!;
  expect(Number(told)).toBe(expired);
  // An extend that was refused has six: its task, the update and what was decided.
  expect(Number(more)).toBe((extended - expired - 6) / 2);
});
