import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  apiLeaveMs,
  apiVariables,
  auditFile,
  configPath,
  logLevel,
  metricsAddress,
  readVariable,
  settingsFile,
  workerVersion,
} from '../../../config/environment';
import { ConfigError } from '../../../config/problems';

const before = { ...process.env };

afterEach(() => {
  process.env = { ...before };
});

test('a variable that is not set is undefined, one that is empty is not', () => {
  delete process.env['LEASEHOLD_TEST'];
  expect(readVariable('LEASEHOLD_TEST')).toBeUndefined();
  process.env['LEASEHOLD_TEST'] = '';
  expect(readVariable('LEASEHOLD_TEST')).toBe('');
});

test.each(['constructor', '__proto__', 'toString'])('%s is no variable unless somebody sets it', (name) => {
  expect(readVariable(name)).toBeUndefined();
});

test('the configuration is leasehold.yaml unless LEASEHOLD_CONFIG names another', () => {
  delete process.env['LEASEHOLD_CONFIG'];
  expect(configPath()).toBe('leasehold.yaml');
  process.env['LEASEHOLD_CONFIG'] = '';
  expect(configPath()).toBe('leasehold.yaml');
  process.env['LEASEHOLD_CONFIG'] = '/etc/leasehold.yaml';
  expect(configPath()).toBe('/etc/leasehold.yaml');
});

test('the log level is info unless LEASEHOLD_LOG_LEVEL names another, and junk is refused with the allowed ones', () => {
  delete process.env['LEASEHOLD_LOG_LEVEL'];
  expect(logLevel()).toBe('info');
  process.env['LEASEHOLD_LOG_LEVEL'] = 'debug';
  expect(logLevel()).toBe('debug');
  process.env['LEASEHOLD_LOG_LEVEL'] = 'LOUD\n';
  expect(logLevel).toThrow('LEASEHOLD_LOG_LEVEL: "LOUD?" is no log level. Allowed: fatal, error, warn, info');
});

test('audit lines go to standard output unless LEASEHOLD_AUDIT_FILE names a file, by its absolute path', () => {
  delete process.env['LEASEHOLD_AUDIT_FILE'];
  expect(auditFile()).toBeNull();
  process.env['LEASEHOLD_AUDIT_FILE'] = '';
  expect(auditFile()).toBeNull();
  process.env['LEASEHOLD_AUDIT_FILE'] = '/var/log/leasehold/audit.jsonl';
  expect(auditFile()).toBe('/var/log/leasehold/audit.jsonl');
  process.env['LEASEHOLD_AUDIT_FILE'] = 'audit.jsonl';
  expect(auditFile).toThrow(ConfigError);
  expect(auditFile).toThrow(
    'LEASEHOLD_AUDIT_FILE: "audit.jsonl" is no absolute path. Allowed: a path that begins with /',
  );
});

describe('metrics', () => {
  test.each([undefined, ''])('are served nowhere if LEASEHOLD_METRICS is %j', (written) => {
    delete process.env['LEASEHOLD_METRICS'];
    if (written !== undefined) process.env['LEASEHOLD_METRICS'] = written;
    expect(metricsAddress()).toBeNull();
  });

  test.each([
    ['127.0.0.1:9464', '127.0.0.1', 9464],
    ['metrics.internal:80', 'metrics.internal', 80],
    ['0.0.0.0:65535', '0.0.0.0', 65_535],
    [':9464', '127.0.0.1', 9464],
    [':0', '127.0.0.1', 0],
    ['[::1]:9464', '::1', 9464],
    ['[::]:9464', '::', 9464],
  ])('are served at %s', (written, host, port) => {
    process.env['LEASEHOLD_METRICS'] = written;
    expect(metricsAddress()).toEqual({ host, port });
  });

  test.each([
    '9464',
    'localhost',
    'localhost:',
    ':65536',
    ':-1',
    ':1.5',
    '::1:9464',
    '[::1]',
    '[x]:9464',
    '[]:9464',
    'http://a:1',
    '*:1',
    'a b:1',
    ' :1',
  ])('are not served at %j, which is refused with what is allowed', (written) => {
    process.env['LEASEHOLD_METRICS'] = written;
    expect(metricsAddress).toThrow(ConfigError);
    expect(metricsAddress).toThrow(
      /LEASEHOLD_METRICS: .* is no address with a port\. Allowed: host:port, \[IPv6 address\]:port or :port/,
    );
  });
});

test('an emptied variable of the HTTP API says nothing', () => {
  process.env['LEASEHOLD_HOST'] = 'https://leasehold.internal:8443';
  process.env['LEASEHOLD_TOKEN'] = '';
  expect(apiVariables()).toEqual({ host: 'https://leasehold.internal:8443' });
});

test.each([
  [{ LEASEHOLD_SETTINGS: '/etc/mine.json', XDG_CONFIG_HOME: '/xdg' }, '/etc/mine.json'],
  [{ LEASEHOLD_SETTINGS: '', XDG_CONFIG_HOME: '/xdg' }, '/xdg/leasehold/settings.json'],
  [{ XDG_CONFIG_HOME: 'relative' }, join(homedir(), '.config/leasehold/settings.json')],
  [{}, join(homedir(), '.config/leasehold/settings.json')],
])('settings of %j are at %s', (variables, file) => {
  for (const name of ['LEASEHOLD_SETTINGS', 'XDG_CONFIG_HOME']) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, variables);
  expect(settingsFile()).toBe(file);
});

function version(deployment: string | undefined, build: string | undefined): void {
  delete process.env['TEMPORAL_DEPLOYMENT_NAME'];
  delete process.env['TEMPORAL_WORKER_BUILD_ID'];
  if (deployment !== undefined) process.env['TEMPORAL_DEPLOYMENT_NAME'] = deployment;
  if (build !== undefined) process.env['TEMPORAL_WORKER_BUILD_ID'] = build;
}

test('a worker is versioned by a deployment and a build id together, and not without them', () => {
  version(undefined, undefined);
  expect(workerVersion()).toBeNull();
  version('', '');
  expect(workerVersion()).toBeNull();
  version('prod/leasehold', '0.4.0-3f2a');
  expect(workerVersion()).toEqual({ deployment: 'prod/leasehold', build: '0.4.0-3f2a' });
  version('l'.repeat(100), '7'.repeat(100));
  expect(workerVersion()).toEqual({ deployment: 'l'.repeat(100), build: '7'.repeat(100) });
});

test.each([
  ['leasehold', undefined, 'TEMPORAL_WORKER_BUILD_ID: is not set, but TEMPORAL_DEPLOYMENT_NAME is. Set both'],
  ['', '7', 'TEMPORAL_DEPLOYMENT_NAME: is not set, but TEMPORAL_WORKER_BUILD_ID is. Set both'],
  ['lease.hold', '7', 'TEMPORAL_DEPLOYMENT_NAME: "lease.hold" is no name of a deployment. Allowed:'],
  ['lease:hold', '7', 'TEMPORAL_DEPLOYMENT_NAME: "lease:hold" is no name of a deployment.'],
  ['__leasehold', '7', 'TEMPORAL_DEPLOYMENT_NAME: "__leasehold" is no name'],
  ['leasehold', '__unversioned__', 'TEMPORAL_WORKER_BUILD_ID: "__unversioned__" is no build id. Allowed:'],
  ['leasehold', 'a b', 'TEMPORAL_WORKER_BUILD_ID: "a b" is no build id.'],
  ['leasehold', '7'.repeat(101), 'TEMPORAL_WORKER_BUILD_ID: "7777'],
  ['l'.repeat(101), '7', 'TEMPORAL_DEPLOYMENT_NAME: "llll'],
])('the deployment %p with the build id %p is refused, for Temporal would not tell', (deployment, build, sentence) => {
  version(deployment, build);
  expect(workerVersion).toThrow(ConfigError);
  expect(workerVersion).toThrow(sentence);
});

test('the API goes on serving for 5 seconds once it was asked to stop, or for what LEASEHOLD_API_LEAVE says', () => {
  delete process.env['LEASEHOLD_API_LEAVE'];
  expect(apiLeaveMs()).toBe(5_000);
  const known = { '': 5_000, '0': 0, '0s': 0, '10s': 10_000, '5m': 300_000 };
  for (const [written, ms] of Object.entries(known)) {
    process.env['LEASEHOLD_API_LEAVE'] = written;
    expect(apiLeaveMs()).toBe(ms);
  }
});

test.each(['6m', '-1s', '1.5s', 'soon', ' '])('the API does not go on serving for %p', (written) => {
  process.env['LEASEHOLD_API_LEAVE'] = written;
  expect(apiLeaveMs).toThrow(ConfigError);
  expect(apiLeaveMs).toThrow(`LEASEHOLD_API_LEAVE: "${written}" is not allowed. Allowed: a duration from 0s to 5m`);
});
