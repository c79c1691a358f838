import { integrationTypes } from '../../../activities/integrations/registry';
import { configText, integrationNames } from '../../../bench/deployment-config';
import type { ConfigOptions } from '../../../bench/deployment-config';
import { findDynamicSecret, parseConfig } from '../../../config/load';

const CANARY_ORCHESTRATOR = { user: 'orchestrator', password: 'CANARY' };

const OPTIONS: ConfigOptions = {
  provider: { database: 'bench', group: 'bench_group' },
  orchestrators: [CANARY_ORCHESTRATOR],
  reach: { host: '127.0.0.1', port: 4_711 },
  limits: { callsPerSecond: 1_000, provisions: 50, deprovisions: 40 },
  tokenHash: `sha256:${'0'.repeat(64)}`,
};

const load = (options: Partial<ConfigOptions> = {}) =>
  parseConfig(configText({ ...OPTIONS, ...options }), integrationTypes, 'bench.yaml');

test('a bench leases by a configuration that worker and API take', () => {
  const config = load();
  const { project, config: name, dynamicSecret } = integrationNames(0).what;
  expect(findDynamicSecret(config, project, name, dynamicSecret).ok).toBe(true);
  expect(config.api.requestsPerMinute).toBe(1_000_000);
  expect(config.integrations['postgresql']).toMatchObject({
    connection: { host: '127.0.0.1', port: 4_711, pool_size: 5 },
    limits: { callsPerSecond: 1_000, provisions: 50, deprovisions: 40 },
  });
});

test('the size of the pool can be set', () => {
  expect(load({ poolSize: 30 }).integrations['postgresql']).toMatchObject({ connection: { pool_size: 30 } });
});

test('limits that are not named are those that every configuration has', () => {
  expect(load({ limits: null }).integrations['postgresql']).toMatchObject({
    limits: { callsPerSecond: 100, provisions: 10, deprovisions: 20 },
  });
});

test('no secret is in it', () => {
  expect(configText(OPTIONS)).not.toContain('CANARY');
});

test('each orchestrator has an integration of its own, whose roles no other one takes for its own', () => {
  const config = load({ orchestrators: [{ user: 'one' }, { user: 'two' }] });
  expect(config.integrations).toMatchObject({
    postgresql: { connection: { user: 'one', name_prefix: 'bench' } },
    postgresql2: { connection: { user: 'two', name_prefix: 'bench2' } },
  });
  const { project, config: name, dynamicSecret } = integrationNames(1).what;
  expect(findDynamicSecret(config, project, name, dynamicSecret)).toMatchObject({
    ok: true,
    dynamicSecret: { integration: 'postgresql2' },
  });
});
