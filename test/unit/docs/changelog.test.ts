import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../../package.json';

const ROOT = join(__dirname, '../../..');
const text = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
const sections = [...text.matchAll(/^## \[(.+?)\](?: - (\S+))?$/gm)].map(([, name, date]) => ({ name, date }));

test('the changelog has a section for what is to come and one, with its day, for each release, newest first', () => {
  const [first, ...releases] = sections;
  const names = releases.map(({ name }) => name!);
  expect(first).toEqual(
    first?.name === 'Unreleased' ? { name: 'Unreleased' } : { name: version, date: expect.any(String) },
  );
  expect(sections.map(({ name }) => name)).toContain(version);
  expect(names).toEqual(names.toSorted((one, other) => other.localeCompare(one, 'en', { numeric: true })));
  for (const { name, date } of releases)
    expect([name, date]).toEqual([name, expect.stringMatching(/^\d{4}-\d\d-\d\d$/)]);
});

test('it tells changes of the kinds that its head names', () => {
  const kinds = new Set([...text.matchAll(/^### (.+)$/gm)].map(([, kind]) => kind));
  expect(['Breaking', 'Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']).toEqual(
    expect.arrayContaining([...kinds]),
  );
});

test('every page that it names is there', () => {
  const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^https?:/.test(link));
  expect(links.length).toBeGreaterThan(5);
  for (const link of links) expect({ link, exists: existsSync(join(ROOT, link)) }).toEqual({ link, exists: true });
});
