import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { connect, loadConnectionOptions } from '../../../temporal/connection';

let directory: string;
const before = { ...process.env };

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'leasehold-'));
  for (const name of Object.keys(process.env))
    if (name.startsWith('TEMPORAL_')) Reflect.deleteProperty(process.env, name);
  process.env['TEMPORAL_CONFIG_FILE'] = join(directory, 'temporal.toml');
  writeFileSync(process.env['TEMPORAL_CONFIG_FILE'], '[profile.default]\n');
});

afterEach(() => {
  process.env = { ...before };
  rmSync(directory, { recursive: true });
});

async function failureOf(connected: Promise<unknown>): Promise<Error> {
  return connected.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => error as Error,
  );
}

test('the namespace is default unless it is set', () => {
  expect(loadConnectionOptions().namespace).toBe('default');
  process.env['TEMPORAL_NAMESPACE'] = 'leases';
  expect(loadConnectionOptions().namespace).toBe('leases');
  expect(loadConnectionOptions({ namespace: 'mine' }).namespace).toBe('mine');
});

test('a server that is not there is named with how to set it, in bounded time and without the API key', async () => {
  process.env['TEMPORAL_ADDRESS'] = '127.0.0.1:1';
  process.env['TEMPORAL_NAMESPACE'] = 'leases';
  process.env['TEMPORAL_API_KEY'] = 'canary-api-key';
  const failure = await failureOf(connect({ connectTimeoutMs: 300 }));
  expect(failure.name).toBe('TemporalError');
  expect(failure.message).toMatch(/127\.0\.0\.1:1 .*"leases".*TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE/);
  expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain('canary');
});

test('a malformed configuration file is refused without being quoted', () => {
  writeFileSync(process.env['TEMPORAL_CONFIG_FILE']!, '[profile.default]\napi_key = canary-without-quotes');
  expect(() => loadConnectionOptions()).toThrow(/cannot be read/);
  expect(() => loadConnectionOptions()).not.toThrow(/canary/);
});

test('a profile that does not exist is named', () => {
  expect(() => loadConnectionOptions({ profile: 'production' })).toThrow(/"production"/);
});

test.each(['canary-key\n', ' canary-key', 'canary-kéy'])(
  'an API key that cannot be one is refused without being quoted',
  (key) => {
    process.env['TEMPORAL_API_KEY'] = key;
    expect(() => loadConnectionOptions()).toThrow(/TEMPORAL_API_KEY has a character that no key has/);
    expect(() => loadConnectionOptions()).not.toThrow(/canary/);
  },
);
