import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProgram } from '../../../cli/program';
import { allCommands } from '../../../dev/cli-docs';
import { createMetrics } from '../../../telemetry/metrics';
import { ATTRIBUTES } from '../../../workflows/contract';

const ROOT = join(__dirname, '../../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const page = read('docs/security.md');
/** What stands between backticks, outside of blocks. */
const terms = [...page.replaceAll(/^ *```.*?^ *```/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, term]) => term!);

test('the page is found from those that are read first', () => {
  for (const path of ['README.md', 'SECURITY.md', 'docs/operations.md', 'docs/design.md']) {
    expect(read(path)).toMatch(/\]\((docs\/)?security\.md/);
  }
});

test('it names every search attribute, for they are plain, and no other', () => {
  const named = terms.filter((term) => /^Lease[A-Z]\w+$/.test(term));
  expect([...new Set(named)].toSorted()).toEqual(
    Object.values(ATTRIBUTES)
      .map(({ name }) => name)
      .toSorted(),
  );
});

test('the metrics, variables, lines and rights that it names exist', async () => {
  const { body } = await createMetrics().text();
  const metrics = terms.filter((term) => term.startsWith('leasehold_'));
  expect(metrics.length).toBeGreaterThan(1);
  for (const metric of metrics) expect(body).toContain(`# TYPE ${metric} `);

  const environment = read('config/environment.ts');
  const variables = terms.filter((term) => /^LEASEHOLD_[A-Z_]+$/.test(term));
  expect(variables.length).toBeGreaterThan(2);
  for (const variable of variables) expect(environment).toContain(`'${variable}'`);

  const events = read('docs/operations.md');
  for (const [, list] of page.matchAll(/lines? ((?:`[a-z_]+`(?:, | and | or )?)+)/g)) {
    for (const [event] of list!.matchAll(/`[a-z_]+`/g)) expect(events).toMatch(new RegExp(`^\\|.*${event}.*\\|`, 'm'));
  }
  const configuration = read('docs/configuration.md') + read('docs/integrations/postgresql.md');
  for (const key of [
    'max_ttl',
    'max_leases',
    'max_leases_per_holder',
    'api.requests_per_minute',
    'api.trust_proxy',
    'verify-full',
  ]) {
    expect(terms).toContain(key);
    expect(configuration).toContain(key.replace('api.', ''));
  }
});

test('the commands and options that it names exist', () => {
  const commands = allCommands(createProgram());
  const names = commands.map((command) => command.name());
  const options = new Set(commands.flatMap((command) => command.options.map(({ long }) => long)));
  const lines = terms.filter((term) => /^(leasehold|worker|api) /.test(term));
  expect(lines.length).toBeGreaterThan(5);
  for (const line of lines) {
    const command = /^(?:leasehold )?([a-z]+)/.exec(line)?.[1];
    expect(names).toContain(command);
    for (const [option] of line.matchAll(/--[a-z-]+/g)) expect(options).toContain(option);
  }
});

test('the files that it names are there', () => {
  const files = terms.filter((term) => /^(scripts|deploy|docs|test)\/\S+$/.test(term));
  expect(files.length).toBeGreaterThan(1);
  for (const file of files) expect({ file, exists: existsSync(join(ROOT, file)) }).toEqual({ file, exists: true });
});

test('the compose file hides in the Web UI what the page says that it hides', () => {
  const compose = read('temporal-compose.yml');
  const hidden = terms.filter((term) => /^TEMPORAL_\w+_DISABLED$/.test(term));
  expect(hidden.length).toBeGreaterThan(4);
  for (const flag of hidden) expect(compose).toContain(`${flag}: 'true'`);
  const set = [...compose.matchAll(/TEMPORAL_\w+_DISABLED/g)].map(([flag]) => flag);
  expect(set.toSorted()).toEqual([...new Set(hidden)].toSorted());
});

test('it counts the dependencies that are not locked', () => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: object };
  expect(Object.keys(dependencies)).toHaveLength(5);
  expect(page).toContain('versions of five dependencies');
});
