import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ATTRIBUTES, LEASE_ENDS } from '../../../workflows/contract';

const ROOT = join(__dirname, '../../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const page = read('docs/web-ui.md');

test('the page names every state of a lease, and no other', () => {
  const rows = [...page.matchAll(/^\| `([a-z]+)` +\| [^|]+\|$/gm)].map(([, state]) => state);
  expect(rows).toEqual(expect.arrayContaining(['provisioning', 'active', 'deprovisioning', 'stuck', ...LEASE_ENDS]));
  expect(rows).toHaveLength(4 + LEASE_ENDS.length);
});

test('it names every search attribute, and no other', () => {
  const named = new Set([...page.matchAll(/\bLease[A-Z]\w+/g)].map(([name]) => name));
  expect([...named].toSorted()).toEqual(
    Object.values(ATTRIBUTES)
      .map(({ name }) => name)
      .toSorted(),
  );
});

test('the compose file hides what the page says that it hides', () => {
  const flags = (text: string): readonly string[] => [...new Set(text.match(/TEMPORAL_\w+_DISABLED/g))].toSorted();
  expect(flags(page)).toEqual(flags(read('temporal-compose.yml')));
});
